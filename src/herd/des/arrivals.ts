import type { Draw } from './draws.ts';
import type { Kernel } from './kernel.ts';
import type { Done, Service } from './service.ts';
import type { Stream } from './stream.ts';

/**
 * Poisson arrivals, open loop: clients who come whether or not earlier ones were served. `keyOf` says what a request
 * is about.
 */
export class OpenArrivals {
  readonly #kernel: Kernel;
  readonly #stream: Stream;
  readonly #send: Service;
  readonly #keyOf: () => number;
  #perSecond = 0;
  /** A change of rate makes the arrival that was waited for void. */
  #epoch = 0;

  constructor(kernel: Kernel, stream: Stream, send: Service, keyOf: () => number = () => 0) {
    this.#kernel = kernel;
    this.#stream = stream;
    this.#send = send;
    this.#keyOf = keyOf;
  }

  /** From now on so many a second; 0 ends them. Poisson arrivals have no memory, so a change needs none either. */
  setRate(perSecond: number): void {
    this.#perSecond = perSecond;
    this.#epoch += 1;
    if (perSecond > 0) this.#next(this.#epoch);
  }

  #next(epoch: number): void {
    const gapMs = (-1000 / this.#perSecond) * Math.log(this.#stream.drawAboveZero());
    this.#kernel.after(gapMs, () => {
      if (epoch !== this.#epoch) return;
      this.#next(epoch);
      this.#send(this.#keyOf(), ignore);
    });
  }
}

/** Closed loop: so many clients, each of whom thinks, asks, waits for the answer and thinks again. */
export function closedClients(
  kernel: Kernel,
  rules: { readonly clients: number; readonly thinkMs: Draw; readonly stream: Stream; readonly keyOf?: () => number },
  send: Service,
): void {
  const { clients, thinkMs, stream, keyOf = () => 0 } = rules;
  const think = (): void => void kernel.after(thinkMs(stream), () => send(keyOf(), think));
  for (let client = 0; client < clients; client += 1) think();
}

const ignore: Done = () => undefined;
