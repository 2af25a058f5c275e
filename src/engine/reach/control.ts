import type { ControlTarget } from '../../model/index.ts';
import { afterMs, httpGet } from '../../transport/index.ts';
import { CONTROL_FRESH_MS } from './limits.ts';

/** Looks at the control targets; one look serves all who ask while it is fresh. Never rejects. */
export function openControl(
  targets: readonly ControlTarget[],
  report: (target: ControlTarget) => void,
): () => Promise<'answers' | 'silent' | null> {
  let look: Promise<'answers' | 'silent'> | null = null;
  return async () => {
    if (targets.length === 0) return null;
    if (look === null) {
      look = lookAt(targets, report);
      afterMs(CONTROL_FRESH_MS, () => (look = null));
    }
    return look;
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
