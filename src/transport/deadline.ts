/**
 * A deadline in real milliseconds, which is what all I/O here is bounded by: plan time may run faster or slower than
 * the wall clock, and sockets do not. Returns what stops it.
 */
export function afterMs(timeoutMs: number, act: () => void): () => void {
  const timer = setTimeout(act, timeoutMs);
  return () => clearTimeout(timer);
}
