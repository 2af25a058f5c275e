/** Where chance comes from: one 32-bit number, kept with the state, so that the same seed gives the same world. */
export interface Chance {
  chance: number;
}

/** The next number in [0, 1). Mulberry32 (Tommy Ettinger, public domain): small, and good enough for TTLs. */
export function draw(from: Chance): number {
  from.chance = (from.chance + 0x6d2b79f5) >>> 0;
  let bits = from.chance;
  bits = Math.imul(bits ^ (bits >>> 15), bits | 1);
  bits ^= bits + Math.imul(bits ^ (bits >>> 7), bits | 61);
  return ((bits ^ (bits >>> 14)) >>> 0) / 4_294_967_296;
}

/** A number in [min, max). */
export function drawBetween(from: Chance, min: number, max: number): number {
  return min + draw(from) * (max - min);
}

/** Thirty-two hex digits in the shape of a UUID of version 4: what Linux calls a boot id. */
export function drawBootId(from: Chance): string {
  const digits = [0, 1, 2, 3]
    .map(() =>
      Math.floor(draw(from) * 4_294_967_296)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `a${digits.slice(17, 20)}`,
    digits.slice(20, 32),
  ].join('-');
}
