import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { ANSWER_TIMEOUT_MS, OPEN_TIMEOUT_MS } from './limits.ts';
import type { Answer, Ask, Opened, WorkerStart } from './messages.ts';
import { type Trouble, TroubleError } from './trouble.ts';

type Settle = (answer: Answer) => void;

/**
 * The engine's end of the worker thread: one question, one answer, in order, each within its limit. The first
 * trouble is the answer to everything asked then and later.
 */
export class WriterThread {
  readonly opened: Promise<Opened>;
  readonly #path: string;
  readonly #worker: Worker;
  readonly #asked: { readonly settle: Settle; readonly timer: NodeJS.Timeout }[] = [];
  #trouble: Trouble | null = null;

  constructor(start: WorkerStart) {
    this.#path = start.path;
    // The published package holds this file as .js.
    this.#worker = new Worker(new URL(`./worker${extname(import.meta.url)}`, import.meta.url), {
      workerData: start,
      execArgv: [],
    });
    this.#worker.on('message', (answer: Answer) => this.#take(answer));
    this.#worker.on('error', (error: unknown) =>
      this.#fail(`its thread failed: ${error instanceof Error ? error.message : String(error)}`),
    );
    this.#worker.on('exit', () => this.#fail('its thread ended'));
    this.opened = this.#expect(OPEN_TIMEOUT_MS).then((answer) => {
      if (answer.answer === 'opened') return answer.opened;
      throw this.#unexpected(answer);
    });
  }

  /** Rejects with TroubleError and nothing else. */
  async ask(ask: Ask): Promise<Answer> {
    if (this.#trouble !== null) throw toError(this.#trouble);
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread of our own, not a window
    this.#worker.postMessage(ask);
    const answer = await this.#expect(ANSWER_TIMEOUT_MS);
    if (answer.answer === 'trouble') throw toError(answer.trouble);
    return answer;
  }

  /** Ends the thread whatever it does. What it had not answered is unknown. */
  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #expect(timeoutMs: number): Promise<Answer> {
    return new Promise((settle) => {
      const timer = setTimeout(() => this.#giveUp(timeoutMs), timeoutMs);
      this.#asked.push({ settle, timer });
    });
  }

  #take(answer: Answer): void {
    if (answer.answer === 'trouble') {
      this.#trouble ??= answer.trouble;
      this.#settleAll();
      return;
    }
    if (answer.answer === 'closed')
      this.#trouble = { reason: 'closed', what: 'the journal is closed', where: this.#path };
    const first = this.#asked.shift();
    clearTimeout(first?.timer);
    first?.settle(answer);
  }

  #giveUp(timeoutMs: number): void {
    this.#fail(`the disk did not answer within ${timeoutMs / 1000} s`);
    void this.#worker.terminate();
  }

  #fail(what: string): void {
    this.#trouble ??= { reason: 'outcome-unknown', what, where: this.#path };
    this.#settleAll();
  }

  #settleAll(): void {
    const trouble = this.#trouble;
    if (trouble === null) return;
    for (const { settle, timer } of this.#asked.splice(0)) {
      clearTimeout(timer);
      settle({ answer: 'trouble', trouble });
    }
  }

  #unexpected(answer: Answer): TroubleError {
    if (answer.answer === 'trouble') return toError(answer.trouble);
    return new TroubleError('outcome-unknown', `its thread answered ${answer.answer}`, this.#path);
  }
}

function toError({ reason, what, where }: Trouble): TroubleError {
  return new TroubleError(reason, what, where);
}
