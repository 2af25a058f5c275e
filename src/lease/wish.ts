import type { ClaimWish } from '../ports/index.ts';

/** Throws TypeError on a claim of nothing: whoever asks for that has lost the list on the way. */
export function refuseEmpty({ servers }: ClaimWish): void {
  if (servers.length === 0) throw new TypeError('a claim without servers: an empty selection is never "all"');
}
