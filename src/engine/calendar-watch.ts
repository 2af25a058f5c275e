import { FailureError, type PlanHeader } from '../model/index.ts';
import { neededOf, takesRisk } from '../plan/index.ts';
import type { Clock } from '../ports/index.ts';
import { UNREAD, type RunEvent } from '../run/index.ts';
import { readFreezes, type Freezes } from './calendars/index.ts';
import { afterRealMs } from './clock.ts';
import { instantText } from './instants.ts';
import type { Order } from './runs.ts';

/** A calendar that could not be read is tried again so often, in real milliseconds. */
const AGAIN_MS = 60_000;

/** The run is not begun now: its window is over or too short, or a freeze stands in its way (exit 4). */
export class NotNow extends FailureError {}

export interface CalendarWatchInput {
  readonly header: PlanHeader;
  readonly order: Pick<Order, 'run' | 'by' | 'freezes' | 'zone' | 'overrides'>;
  readonly clock: Clock;
  readonly tell: (event: RunEvent) => void;
}

/**
 * The calendars of one engine: read when a run is begun and when it is gone on with, because somebody may have declared
 * a freeze since the plan was made. One that cannot be read keeps risk waiting, and is tried again.
 */
export class CalendarWatch {
  readonly #in: CalendarWatchInput;
  #cancel: () => void = () => undefined;
  #closed = false;

  constructor(input: CalendarWatchInput) {
    this.#in = input;
  }

  /** Whether a new run may be begun. Throws NotNow; gives what the journal has to know of the calendars. */
  async begin(): Promise<readonly RunEvent[]> {
    const { header, order, clock } = this.#in;
    const read = await this.#read();
    this.#refuseWindow();
    // Giving back waits for no calendar.
    if (!takesRisk(header.steps)) return this.#said(read);
    const override = order.overrides.find((each) => each.class === 'freeze');
    const stops = inTheWay(header, read?.freezes ?? header.freezes, clock.nowMs());
    const unread = read?.unread ?? [];
    if (override === undefined && unread.length > 0)
      throw this.#notNow(`a calendar of freezes cannot be read: ${unread.join('; ')}`);
    const [first] = stops;
    if (override === undefined && first !== undefined)
      throw this.#notNow(
        `the freeze "${first.title}" lasts from ${instantText(first.fromMs, header.window.zone)} to ${instantText(first.toMs, header.window.zone)}, and nothing is begun inside it, nor what could not be taken back before it`,
      );
    const about = [...new Set([...stops.map(({ title }) => title), ...(unread.length > 0 ? [UNREAD] : [])])];
    const overrode = about.map((title): RunEvent => ({
      type: 'overrode',
      class: 'freeze',
      about: title,
      by: order.by,
      reason: override?.reason ?? '',
    }));
    return [...overrode, ...this.#said(read)];
  }

  /** For a run that is gone on with: it comes home whatever a calendar says. */
  async goOn(): Promise<readonly RunEvent[]> {
    return this.#said(await this.#read());
  }

  close(): void {
    this.#closed = true;
    this.#cancel();
  }

  #said(read: Freezes | null): RunEvent[] {
    if (read === null) return [];
    if (read.unread.length === 0) return [{ type: 'freezes', freezes: read.freezes }];
    this.#again();
    return [{ type: 'freezes', unread: read.unread.join('; ') }];
  }

  #again(): void {
    if (!this.#closed) this.#cancel = afterRealMs(AGAIN_MS, () => void this.#readAgain());
  }

  async #readAgain(): Promise<void> {
    const read = await this.#read();
    if (read === null || this.#closed) return;
    if (read.unread.length > 0) this.#again();
    else this.#in.tell({ type: 'freezes', freezes: read.freezes });
  }

  /** Null: there is no calendar. */
  async #read(): Promise<Freezes | null> {
    const { header, order, clock } = this.#in;
    if (order.freezes.length === 0) return null;
    const nowMs = clock.nowMs();
    const { opensAtMs, limitMs } = header.window;
    return readFreezes(order.freezes, order.zone, nowMs, Math.max(nowMs, opensAtMs ?? nowMs) + 2 * limitMs);
  }

  #refuseWindow(): void {
    const { window } = this.#in.header;
    const { opensAtMs, closesAtMs, zone } = window;
    const { runMs, homeMs } = neededOf(this.#in.header);
    if (closesAtMs === null) return;
    const nowMs = this.#in.clock.nowMs();
    const closes = instantText(closesAtMs, zone);
    if (nowMs >= closesAtMs) throw this.#notNow(`its window is over: it closed ${closes}`);
    const leftMs = closesAtMs - Math.max(nowMs, opensAtMs ?? nowMs);
    if (runMs + homeMs > leftMs)
      throw this.#notNow(
        `too little of its window is left: it closes ${closes}, in ${minutes(leftMs)} min, and the run is expected to take ${minutes(runMs)} min and its way home ${minutes(homeMs)} min`,
      );
  }

  #notNow(what: string): NotNow {
    const freeze = what.includes('freeze');
    return new NotNow({
      kind: 'condition',
      what,
      where: this.#in.order.run,
      state: 'Nothing was started',
      remedy: freeze
        ? 'Choose another time; or decide against it: neap run PLAN --override freeze --reason "..."'
        : 'Make a plan with another window: neap plan RUNBOOK --opens ... --closes ...',
    });
  }
}

/** Freezes that the run, with its way home, would meet when it begins as early as it can. */
function inTheWay(header: PlanHeader, freezes: Freezes['freezes'], nowMs: number): Freezes['freezes'] {
  const { runMs, homeMs } = neededOf(header);
  const fromMs = Math.max(nowMs, header.window.opensAtMs ?? nowMs);
  const untilMs = fromMs + runMs + homeMs;
  return freezes.filter((each) => each.toMs > fromMs && each.fromMs < untilMs);
}

function minutes(ms: number): number {
  return Math.ceil(ms / 60_000);
}
