import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import type { ConfigCache } from './cache.ts';
import type { Configuration } from './configuration.ts';
import { askDatabase } from './database.ts';
import type { ApiSettings } from './settings.ts';

const OFFLINE_FLAG = '/srv/api/state/offline';

/** One server's API: what it answers to people over HTTP and to its operators over the control port. */
export class Service {
  readonly settings: ApiSettings;
  readonly cache: ConfigCache;
  readonly configuration: Configuration;

  constructor(settings: ApiSettings, cache: ConfigCache, configuration: Configuration) {
    this.settings = settings;
    this.cache = cache;
    this.configuration = configuration;
  }

  /** A file, so that it outlives the process. */
  get offline(): boolean {
    return existsSync(OFFLINE_FLAG);
  }

  /** Going offline resets the cache, every time it is said. Throws where the disk takes no more. */
  async goOffline(): Promise<void> {
    const draft = `${OFFLINE_FLAG}.new`;
    try {
      writeFileSync(draft, `since ${new Date().toISOString()}\n`);
      renameSync(draft, OFFLINE_FLAG);
    } finally {
      rmSync(draft, { force: true });
    }
    await this.cache.reset();
  }

  goOnline(): void {
    rmSync(OFFLINE_FLAG, { force: true });
  }

  /** A request without a session: online it needs nothing but the process. */
  anonymous(): string {
    return this.offline ? 'offline page' : 'home page';
  }

  /** A logged-in request. Rejects where it cannot be served: after the database's timeout, which is what hurts. */
  async mail(): Promise<string> {
    if (this.offline && !this.settings.needsCacheOffline) return 'offline mail page';
    if (!this.cache.fresh) await this.cache.refresh();
    if (this.offline) return 'offline mail page';
    await askDatabase(this.settings, 'mail');
    return 'mail';
  }
}
