import type { Plan } from '../../model/index.ts';

/** What of a run outlives the machine that it runs on. */
export function planMirrorLine({ mirror }: Plan['header']): string {
  return mirror === null
    ? 'Mirror: none. The journal would be lost with this machine (journal.mirror in neap.config.ts).'
    : `Mirror: ${mirror} gets every event; a reset of power, and what else has no way back, waits for it.`;
}
