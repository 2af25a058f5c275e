import type { NeapRan } from './neap.ts';

/** Throws where a `neap` ended otherwise than it should, with what it said. */
export function expectEnd(ran: Pick<NeapRan, 'code'> & Partial<NeapRan>, code: number): void {
  const { code: was, stdout = '', stderr = '' } = ran;
  if (was !== code)
    throw new Error(`it ended with ${was}, not with ${code}, and said:\n${stderr}${stdout.slice(-6_000)}`);
}
