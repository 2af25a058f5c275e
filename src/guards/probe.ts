import { FailureError, type GuardRead } from '../model/index.ts';
import type { GuardReading } from '../run/index.ts';
import type { GuardParts } from './index.ts';

/**
 * Asks as a client would. An answer that is no 2xx, one that does not come in time, and a connection that is turned
 * away or cut are what a client would meet: bad. No connection at all may be a fault of the path from here: no data.
 */
export async function readProbe(
  { get, withinMs }: Extract<GuardRead, { guard: 'probe' }>,
  parts: GuardParts,
): Promise<GuardReading> {
  try {
    const { status, tookMs } = await parts.get(get, { where: 'guard', timeoutMs: withinMs });
    const isGood = status >= 200 && status < 300;
    return { sort: isGood ? 'good' : 'bad', seen: `HTTP ${status} in ${Math.round(tookMs)} ms` };
  } catch (error) {
    if (!(error instanceof FailureError)) return { sort: 'no-data', seen: String(error) };
    const { kind, what } = error.failure;
    const refused = kind === 'unreachable' && codeOf(error.cause) === 'ECONNREFUSED';
    return { sort: refused || kind === 'timeout' || kind === 'lost' ? 'bad' : 'no-data', seen: what };
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : null;
}
