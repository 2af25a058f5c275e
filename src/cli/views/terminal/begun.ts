import type { Stamped } from '../../../run/index.ts';

/** When a server's part of a step began, in plan time: the state keeps that only once it has been changed. */
export class Begun {
  readonly #atMs = new Map<string, number>();

  note({ atMs, event }: Stamped): void {
    if (event.type !== 'intended' || !('place' in event.effect)) return;
    const { place, id } = event.effect;
    const key = keyOf(place.track, place.target);
    // The first look at a server is the beginning of its part.
    if (id.endsWith('/look/0') || !this.#atMs.has(key)) this.#atMs.set(key, atMs);
  }

  sinceMs(track: string, server: string): number | null {
    return this.#atMs.get(keyOf(track, server)) ?? null;
  }
}

function keyOf(track: string, server: string): string {
  return `${track}/${server}`;
}
