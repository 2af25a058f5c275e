import { findRun, loadConfig, type RunPlace } from '../../engine/index.ts';
import type { JournalRow } from '../../ports/index.ts';
import { reportOf, toHtml, toJson, toMarkdown, type Report } from '../../report/index.ts';
import type { Stamped } from '../../run/index.ts';
import { attach, readRun } from '../session.ts';
import { usage } from '../usage.ts';
import { writeWhole } from '../whole-file.ts';

/** Which file is to hold which form of the report. */
export interface ReportFiles {
  readonly html?: string;
  readonly markdown?: string;
  readonly json?: string;
}

/** `neap report`: what a run did, to whom, when and why. 0 when it was written; without a file, Markdown is printed. */
export async function report(run: string | undefined, files: ReportFiles): Promise<number> {
  const place = findRun((await loadConfig(process.cwd())).stateDir, run);
  if (Object.keys(files).length === 0) {
    process.stdout.write(toMarkdown(await readReport(place)));
    return 0;
  }
  const written = await writeReport(place, files);
  process.stdout.write(`Report of run ${place.run}: ${written.join(', ')}\n`);
  return 0;
}

/** Writes a run's report to the files that are named, readable by their owner only, and says which. */
export async function writeReport(place: RunPlace, files: ReportFiles): Promise<readonly string[]> {
  const made = await readReport(place);
  const texts = [
    [files.html, toHtml],
    [files.markdown, toMarkdown],
    [files.json, toJson],
  ] as const;
  const written: string[] = [];
  for (const [path, write] of texts) {
    if (path === undefined) continue;
    await writeWhole(path, write(made));
    written.push(path);
  }
  return written;
}

/** From the run's engine while it lives, else from its journal. */
async function readReport(place: RunPlace): Promise<Report> {
  const [events, rows]: [Stamped[], JournalRow[]] = [[], []];
  const session = await attach(place, (event, _state, _fresh, row) => {
    events.push(event);
    rows.push(row);
  });
  if (session) {
    const liveAtMs = session.clock.nowMs();
    session.close();
    return reportOf(session.plan, events, { rows, liveAtMs });
  }
  const read = await readRun(place);
  if (read.state === null)
    throw usage(
      `run ${place.run} was never opened, so there is nothing to report`,
      `Its engine did not start; see ${place.log}`,
    );
  return reportOf(read.plan, read.events, { rows: read.rows });
}
