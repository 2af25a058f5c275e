import { DefaultRenderer, ListrLogger, ProcessOutput, Spinner, type ListrDefaultRendererTask } from 'listr2';
import type { Mark } from './rows.ts';
import { paint, widthOf } from './text.ts';

/** Repaints at most so often; between them state only gathers. In real milliseconds. */
const REPAINT_MS = 200;
/** The sign of life turns once in so many repaints: what did not change is not written again. */
const TURN_EVERY = 5;

const unicode = /utf-?8/i.test(process.env['LC_ALL'] || process.env['LC_CTYPE'] || process.env['LANG'] || '');
const SIGNS: Readonly<Record<Exclude<Mark, 'running' | 'none'>, string>> = {
  waiting: paint('dim', unicode ? '·' : '.'),
  done: paint('green', unicode ? '✔' : 'v'),
  warned: paint('yellow', '!'),
  failed: paint('red', unicode ? '✖' : 'x'),
  asks: paint(['bold', 'magenta'], '?'),
  stopped: paint('dim', '-'),
};

/** Ticks the screen. It is listr2's own spinner, slowed down, which first takes in what has changed. */
export class Pulse extends Spinner {
  readonly #tick: () => void;
  #beats = 0;

  constructor(tick: () => void) {
    super();
    this.#tick = tick;
  }

  override spin(): void {
    this.#beats += 1;
    if (this.#beats % TURN_EVERY === 0) super.spin();
    this.#tick();
  }

  override start(repaint?: () => void): void {
    super.start(repaint, REPAINT_MS);
  }
}

/** The sign before each row, by its task. */
export const marks = new WeakMap<object, Mark>();

/**
 * listr2's renderer with another brush: only lines that changed are written, a frame is never taller than the
 * screen (so nothing scrolls away), and after a change of the terminal's size the whole frame is drawn anew.
 */
export class Screen extends DefaultRenderer {
  readonly #pulse: Spinner;
  readonly #output: ProcessOutput;
  #lines: readonly string[] = [];
  #size = '';

  constructor(...[tasks, options, events]: ConstructorParameters<typeof DefaultRenderer>) {
    const pulse = options.spinner ?? new Spinner();
    const output = new ProcessOutput();
    super(tasks, { ...options, spinner: pulse, logger: new ListrLogger({ processOutput: output }) }, events);
    this.#pulse = pulse;
    this.#output = output;
  }

  override update(): void {
    this.#paint(this.create().split('\n'));
  }

  override end(): void {
    this.#write(erase(this.#lines, columns()));
    this.#lines = [];
    super.end();
  }

  protected override style(task: ListrDefaultRendererTask): string {
    const mark = marks.get(task) ?? 'none';
    if (mark === 'none') return '';
    return mark === 'running' ? paint('cyan', this.#pulse.fetch()) : SIGNS[mark];
  }

  #paint(all: readonly string[]): void {
    // One line stays free: the cursor rests below the frame.
    const lines = all.slice(-Math.max(1, rows() - 1));
    const size = `${columns()}x${rows()}`;
    if (size !== this.#size) {
      this.#write(`${erase(this.#lines, columns())}${lines.map((line) => `${line}\n`).join('')}`);
    } else {
      this.#write(patch(this.#lines, lines));
    }
    this.#size = size;
    this.#lines = lines;
  }

  /** As one step for terminals that know of it (mode 2026), without wrapping of what is too long by a character. */
  #write(text: string): void {
    if (text !== '') this.#output.toStdout(`\u001B[?2026h\u001B[?7l${text}\u001B[?7h\u001B[?2026l`, false);
  }
}

/** Moves to each line that changed and writes it; from where the frame grew or shrank on, all of them. */
function patch(before: readonly string[], after: readonly string[]): string {
  let text = '';
  const same = Math.min(before.length, after.length);
  for (let at = 0; at < same; at += 1) {
    const up = before.length - at;
    if (before[at] !== after[at]) text += `\u001B[${up}A\r${after[at]}\u001B[K\u001B[${up}B\r`;
  }
  if (before.length > same) text += `\u001B[${before.length - same}A\r\u001B[J`;
  return (
    text +
    after
      .slice(same)
      .map((line) => `${line}\n`)
      .join('')
  );
}

/**
 * Back to the frame's first line and everything below it gone; a terminal that became narrower has wrapped its lines.
 * Line by line: tmux keeps what is cleared from the very first line on, and whoever scrolls back would find it there.
 */
function erase(lines: readonly string[], width: number): string {
  const height = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(line) / width)), 0);
  return height === 0 ? '' : `\u001B[${height}A\r${'\u001B[K\u001B[1B'.repeat(height)}\u001B[J\u001B[${height}A`;
}

/** A terminal that does not know its size says 0. */
export function columns(): number {
  return process.stdout.columns || 80;
}

export function rows(): number {
  return process.stdout.rows || 24;
}
