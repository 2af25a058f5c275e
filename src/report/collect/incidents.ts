import { allFlying, type RunState } from '../../run/index.ts';
import type { BudgetPart, EngineRow, PageRow, ViewRow } from '../report.ts';
import type { Collector, Seen } from './seen.ts';

type Page = { -readonly [key in keyof PageRow]: PageRow[key] };

/** What went wrong beside the line: budget spent, pages, engines that came and went, terminals that were lost. */
export class Incidents implements Collector {
  readonly entries: BudgetPart['entries'][number][] = [];
  readonly pages: PageRow[] = [];
  readonly engines: EngineRow[] = [];
  readonly views: ViewRow[] = [];
  readonly #unsent = new Map<string, Page>();
  #lastMs = 0;

  see(seen: Seen): void {
    const { event, atMs, before } = seen;
    this.#spend(before, seen.after, atMs);
    if (event.type === 'intended' && event.effect.effect === 'page') {
      const page: Page = { atMs, text: event.effect.text, sentAtMs: null, failure: null };
      this.pages.push(page);
      this.#unsent.set(event.effect.id, page);
    } else if (event.type === 'paged') {
      const page = this.#unsent.get(event.id);
      if (page) Object.assign(page, event.failure ? { failure: event.failure.what } : { sentAtMs: atMs });
    } else if (event.type === 'engine') {
      const { pid, host, neap } = event;
      const resumed = this.engines.length > 0;
      const inDoubt = resumed && before ? allFlying(before.flying).length : 0;
      this.engines.push({
        atMs,
        pid,
        host,
        neap,
        resumed,
        silentMs: resumed ? Math.max(0, atMs - this.#lastMs) : 0,
        inDoubt,
      });
    } else if (event.type === 'viewed') {
      this.views.push({ atMs, by: event.by, what: event.what });
    }
    this.#lastMs = atMs;
  }

  /** A server counts once; those behind a broken path count as that path (promise 6). */
  #spend(before: RunState | null, after: RunState, atMs: number): void {
    if (before?.out !== after.out) {
      for (const [name, out] of Object.entries(after.out)) {
        if (before?.out[name] || out.path !== null) continue;
        this.entries.push({ atMs, name, isPath: false, why: `${out.failure.what}, at "${out.title}"` });
      }
    }
    if (before?.paths === after.paths) return;
    for (const name of Object.keys(after.paths)) {
      if (!before?.paths[name])
        this.entries.push({ atMs, name, isPath: true, why: 'the path to the servers behind it broke' });
    }
  }
}
