import { askDatabase } from './database.ts';
import type { ApiSettings } from './settings.ts';

/** The local copy of the configuration that the database holds: good for a TTL drawn anew at every refresh. */
export class ConfigCache {
  readonly #settings: ApiSettings;
  #filled: { readonly atMs: number; readonly ttlMs: number } | null = null;
  #refreshing: Promise<void> | null = null;

  constructor(settings: ApiSettings) {
    this.#settings = settings;
  }

  get fresh(): boolean {
    return this.#filled !== null && performance.now() - this.#filled.atMs < this.#filled.ttlMs;
  }

  /** As if it had been in use for a while: somewhere in its TTL. A server that was just booted is not. */
  fillAsIfLongInUse(): void {
    const ttlMs = this.#drawTtlMs();
    this.#filled = { atMs: performance.now() - Math.random() * ttlMs, ttlMs };
  }

  /** Asks the database; those who ask while somebody already does share the answer. */
  refresh(): Promise<void> {
    this.#refreshing ??= this.#fill().finally(() => {
      this.#refreshing = null;
    });
    return this.#refreshing;
  }

  /** Drops what there is, and fills it again where the database answers. */
  async reset(): Promise<void> {
    this.#filled = null;
    await this.refresh().catch(() => undefined);
  }

  /** `{}` where there is nothing: an absent value counts as expired. */
  status(): { readonly ageMs?: number; readonly ttlMs?: number } {
    if (this.#filled === null) return {};
    return { ageMs: Math.round(performance.now() - this.#filled.atMs), ttlMs: Math.round(this.#filled.ttlMs) };
  }

  async #fill(): Promise<void> {
    await askDatabase(this.#settings, 'configuration');
    this.#filled = { atMs: performance.now(), ttlMs: this.#drawTtlMs() };
  }

  #drawTtlMs(): number {
    const { min, max } = this.#settings.ttlMs;
    return min + Math.random() * (max - min);
  }
}
