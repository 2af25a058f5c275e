import type { RunPlace } from '../../engine/index.ts';

/** `neap report`. */
export async function report(_run: string | undefined, _options: { readonly html?: string; readonly markdown?: string; readonly json?: string }): Promise<number> {
  return 0;
}

/** Writes a run's report to the files that are named; the demo uses it too. (Keep this export: src/cli/commands/demo.ts calls it.) */
export async function writeReport(_place: RunPlace, _files: { readonly html?: string; readonly markdown?: string; readonly json?: string }): Promise<void> {}
