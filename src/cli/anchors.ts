import { statSync } from 'node:fs';
import { anchorsIn, parseAnchor, type Anchor } from '../journal/index.ts';
import { linesOf } from './lines.ts';
import { usage } from './usage.ts';

/** More than this of one run in one log is not read: a run of a day tells a few thousand. */
const ANCHORS_MAX = 1_000_000;

/** The anchors that `--anchor` gives: `SEQ:HASH`, or a file in which lines hold the run's. Throws UsageError where there are none. */
export async function collectAnchors(given: readonly string[], run: string): Promise<readonly Anchor[]> {
  const all: Anchor[] = [];
  for (const word of given) {
    const anchor = parseAnchor(word, 'by --anchor');
    const found = anchor ? [anchor] : await anchorsOfFile(word, run);
    for (const each of found) all.push(each);
  }
  return all;
}

async function anchorsOfFile(path: string, run: string): Promise<readonly Anchor[]> {
  if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true)
    throw usage(
      `--anchor ${path} is neither SEQ:HASH nor a file`,
      'Give a head such as 412:9f8e7d6c5b4a3f21, or the path of a log that holds some',
    );
  const found: Anchor[] = [];
  let line = 0;
  for await (const text of linesOf(path)) {
    line += 1;
    for (const anchor of anchorsIn(text, run, `${path}, line ${line}`)) found.push(anchor);
    if (found.length > ANCHORS_MAX)
      throw usage(`${path} holds more than ${ANCHORS_MAX} anchors of run ${run}`, 'Give a part of it');
  }
  if (found.length === 0)
    throw usage(
      `${path} holds no anchor of run ${run}`,
      `Look for lines with "head ${run} SEQ:HASH" in what was told by syslog, webhook, command or page`,
    );
  return found;
}
