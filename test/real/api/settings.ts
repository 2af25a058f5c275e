/** What one server's API process is started with; the harness writes it beside the code. */
export interface ApiSettings {
  readonly name: string;
  readonly database: { readonly host: string; readonly port: number };
  readonly databaseTimeoutMs: number;
  readonly ttlMs: { readonly min: number; readonly max: number };
  /** The bug of the story: logged-in requests need the cache in offline mode too, and nothing stale is served. */
  readonly needsCacheOffline: boolean;
  readonly configurationFiles: readonly string[];
}
