/** Where a mirror is, taken apart from the word that a configuration and a plan name it by. */
export type MirrorPlace =
  | { readonly to: 'dir'; readonly path: string }
  | { readonly to: 'ssh'; readonly host: string; readonly path: string };

/** Reads `dir:/path` or `ssh:HOST:/path`; null for anything else, and for a path that is not absolute. */
export function mirrorPlace(word: string): MirrorPlace | null {
  const groups = /^(?:dir:(?<dir>\/.*)|ssh:(?<host>[^:\s/-][^:\s/]*):(?<path>\/.*))$/.exec(word)?.groups;
  if (groups?.['dir'] !== undefined) return { to: 'dir', path: groups['dir'] };
  const { host, path } = groups ?? {};
  return host === undefined || path === undefined ? null : { to: 'ssh', host, path };
}

/** Whether a run's name can be a folder's, on any machine: nothing else reaches a path or a shell. */
export function isRunName(run: string): boolean {
  return /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/.test(run);
}
