import type { ControlTarget } from '../../model/index.ts';
import { httpGet } from '../../transport/index.ts';
import { CONTROL_FRESH_MS } from './limits.ts';

/** Looks at the control targets; one look serves all who ask while it is under way or fresh. Never rejects. */
export function openControl(
  targets: readonly ControlTarget[],
  report: (target: ControlTarget) => void,
): () => Promise<'answers' | 'silent' | null> {
  let look: { readonly atMs: number; readonly result: Promise<'answers' | 'silent'> } | null = null;
  return async () => {
    if (targets.length === 0) return null;
    const nowMs = performance.now();
    if (look === null || nowMs - look.atMs > CONTROL_FRESH_MS) look = { atMs: nowMs, result: lookAt(targets, report) };
    return look.result;
  };
}

async function lookAt(
  targets: readonly ControlTarget[],
  report: (target: ControlTarget) => void,
): Promise<'answers' | 'silent'> {
  const answers = await Promise.all(
    targets.map((target) => {
      report(target);
      return httpGet(target.get, { where: target.name, timeoutMs: target.timeoutMs }).then(
        () => true,
        () => false,
      );
    }),
  );
  return answers.every(Boolean) ? 'answers' : 'silent';
}
