import type { Plan } from '../../model/index.ts';
import { nameServers } from '../../run/index.ts';

/** Above the steps of a way back: whose it is, and how much of it. Empty for any other plan. */
export function wayBackHead({ header }: Plan): string[] {
  const { rollbackOf } = header;
  if (rollbackOf === null) return [];
  const { run, outcome, closedAtMs, to, only } = rollbackOf;
  const ended = `${outcome} ${new Date(closedAtMs).toISOString().slice(0, 16).replace('T', ' ')} UTC`;
  const how = 'What it did is undone, last first, as its servers are now.';
  return [
    `This is the way back of run ${run} (${ended}). ${how}`,
    ...(to === null ? [] : [`Only what came after step ${to}; that step and what was before it stay.`]),
    ...(only === null ? [] : [`Only on ${only.join(', ')}; the others stay as they are.`]),
  ];
}

/** Below the steps: what is not taken back, and why. */
export function wayBackFoot({ header: { rollbackOf, steps } }: Plan): string[] {
  if (rollbackOf === null) return [];
  const nothing = steps.length === 0 ? ['Nothing of it is to be taken back.'] : [];
  if (rollbackOf.left.length === 0) return nothing;
  return [
    ...nothing,
    '',
    'Not taken back:',
    ...rollbackOf.left.map(({ step, title, because, why, servers }) => {
      const reason = because === 'no-way-back' ? `no way back: ${why}` : `nothing to do: ${why}`;
      return `${step.padStart(4)}  ${title}  [${reason}] ${nameServers(servers)}`;
    }),
  ];
}
