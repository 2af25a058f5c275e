import type { Stream } from './stream.ts';

/** How long something takes: a time in ms, at or above zero, drawn from the stream that is given. */
export type Draw = (from: Stream) => number;

/** Always the same. */
export function constant(ms: number): Draw {
  return () => ms;
}

/** Evenly between two times. */
export function uniform(minMs: number, maxMs: number): Draw {
  return (from) => minMs + from.draw() * (maxMs - minMs);
}

/** Exponential: what has no memory. */
export function exponential(meanMs: number): Draw {
  return (from) => -meanMs * Math.log(from.drawAboveZero());
}

/** The magnitude of a normal time (Box and Muller); two numbers of the stream. */
export function normal(meanMs: number, deviationMs: number): Draw {
  return (from) => {
    const radius = Math.sqrt(-2 * Math.log(from.drawAboveZero()));
    return Math.abs(meanMs + deviationMs * radius * Math.cos(2 * Math.PI * from.draw()));
  };
}

/** One or the other: `rare` with its probability. What makes latency bimodal. */
export function either(usual: Draw, rare: Draw, probability: number): Draw {
  return (from) => (from.happens(probability) ? rare(from) : usual(from));
}
