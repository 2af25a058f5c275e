import type { ActStep, Finding, PlanHeader } from '../model/index.ts';
import { reviewWindow } from './review-window.ts';
import type { Deed } from './net-effect.ts';
import type { Settled } from './way-back.ts';

/** How many servers a finding names. */
const NAMED_MAX = 8;

/** How many lines of a change a finding shows. */
const DIFF_MAX = 4;

type Left = NonNullable<PlanHeader['rollbackOf']>['left'];

/** What is not taken back, step by step and never silently: it has no way back, or nothing of it is left. */
export function leftOf(settled: readonly Settled[], stepOf: (id: string) => ActStep): Left {
  const left = settled.flatMap(({ deed, fate }): (Pick<Settled, 'deed'> & Pick<Left[number], 'because' | 'why'>)[] => {
    if (fate.fate === 'no-way-back') return [{ deed, because: fate.fate, why: fate.why }];
    if (fate.fate !== 'nothing') return [];
    const why = deed.takenBack ? 'the run itself took it back' : 'it stands as before already';
    return [{ deed, because: fate.fate, why }];
  });
  return [...Map.groupBy(left, ({ deed, because, why }) => `${deed.step} ${because} ${why}`).values()]
    .flatMap((alike) => {
      const [first] = alike;
      if (!first) return [];
      const servers = [...new Set(alike.map(({ deed }) => deed.server))].toSorted();
      const { id, title } = stepOf(first.deed.step);
      return [{ begun: first.deed.begun, step: id, title, because: first.because, why: first.why, servers }];
    })
    .toSorted((a, b) => b.begun - a.begun)
    .map(({ step, title, because, why, servers }) => ({ step, title, because, why, servers }));
}

/** What stands in the way: servers that drifted, that could not be read, and steps without a way back. */
export function trouble(
  settled: readonly Settled[],
  except: readonly { readonly server: string; readonly reason: string }[],
  header: PlanHeader,
  diffOf: (deed: Deed) => readonly string[],
): Finding[] {
  return [
    ...perServer(settled, diffOf),
    ...(header.rollbackOf?.left ?? [])
      .filter(({ because }) => because === 'no-way-back')
      .map(({ step, title, why, servers }): Finding => ({
        severity: 'warning',
        code: 'no-way-back',
        what: `step ${step} (${title}) has no way back on ${names(servers)}: ${why}`,
        cures: [],
      })),
    ...except.map(({ server, reason }): Finding => ({
      severity: 'warning',
      code: 'except',
      what: `${server} is left out: ${reason}. It stays as it is`,
      cures: [],
    })),
    ...reviewWindow(header),
  ];
}

/** The first thing that is wrong with each server; what is alike is one finding. */
function perServer(settled: readonly Settled[], diffOf: (deed: Deed) => readonly string[]): Finding[] {
  const found = new Map<string, { readonly code: string; readonly what: string; readonly cure: string }>();
  for (const { deed, fate } of settled) {
    if (found.has(deed.server)) continue;
    if (fate.fate === 'drift')
      found.set(deed.server, {
        code: 'drift',
        what: `since the run somebody changed what step ${deed.step} had done: it stands neither as before it nor as after it. The run did: ${shown(diffOf(deed))}. Now it would do: ${shown(fate.seen)}`,
        cure: 'See what changed on it, and put it back by hand or leave it out: --except SERVER="why"',
      });
    if (fate.fate === 'unread')
      found.set(deed.server, {
        code: fate.failure.kind,
        what: `${fate.failure.what}. ${fate.failure.state}`,
        cure: `${fate.failure.remedy}; or leave it out: --except SERVER="why"`,
      });
  }
  const alike = Map.groupBy(found.entries(), ([server, { what }]) => what.replaceAll(server, '*'));
  return [...alike.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const [, { code, what, cure }] = first;
    const servers = group.map(([server]) => server);
    return [
      {
        severity: 'refusal' as const,
        code,
        what: `${names(servers)}: ${what}`,
        cures: [cure.replace('SERVER=', `${servers[0] ?? 'SERVER'}=`)],
      },
    ];
  });
}

/** The first lines of a change: what a file holds is in the preview of the step. */
function shown(diff: readonly string[]): string {
  const heads = diff.filter((line) => !line.startsWith(' ') && !line.endsWith(':'));
  const more = heads.length > DIFF_MAX ? ` and ${heads.length - DIFF_MAX} lines more` : '';
  return `${heads.slice(0, DIFF_MAX).join('; ')}${more}`;
}

function names(servers: readonly string[]): string {
  const shown = servers.slice(0, NAMED_MAX).join(', ');
  return servers.length > NAMED_MAX ? `${shown} and ${servers.length - NAMED_MAX} more` : shown;
}
