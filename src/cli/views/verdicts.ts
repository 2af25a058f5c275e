import type { styleText } from 'node:util';
import type { ActStep, Plan, PlanVerdict } from '../../model/index.ts';
import { nameServers } from '../../run/index.ts';

export type Paint = (style: Parameters<typeof styleText>[0], text: string) => string;

/** What a step finds on its servers: what needs no line of its own stands `behind` its title, the rest `below` it. */
export interface StepVerdicts {
  readonly behind: string;
  readonly below: readonly string[];
}

/** Whom a verdict leaves out is named, if they are so many. */
const LEFT_OUT_MAX = 3;

/** Servers with the same verdict together: a screen shows a fleet, and what changes stands out. */
export function stepVerdicts(step: ActStep, plan: Plan, paint: Paint): StepVerdicts {
  const groups = groupsOf(step, plan);
  const quiet = groups.filter(({ verdict }) => isQuiet(verdict));
  const loud = groups.filter(({ verdict }) => !isQuiet(verdict));
  const who = (servers: readonly string[]): string => whoOf(servers, plan);
  const [only] = quiet;
  if (only && loud.length === 0 && quiet.length === 1) {
    const all = plan.slices.reduce((sum, slice) => sum + slice.servers.length, 0);
    const whom = only.servers.length === all ? '' : ` (${who(only.servers)})`;
    return { behind: `: ${paint('dim', `${only.text}${whom}`)}`, below: [] };
  }
  const told = quiet.map(({ text, servers }) => `${who(servers)}: ${paint('dim', text)}`);
  return {
    behind: '',
    below: [
      ...loud.flatMap(({ verdict, text, servers }) =>
        text.split('\n').map((line, at) => {
          const painted = paintLoud(verdict, line, paint);
          return `        ${at === 0 ? `${who(servers)}: ` : '  '}${painted}`;
        }),
      ),
      ...(told.length > 0 ? [`        ${told.join('; ')}`] : []),
    ],
  };
}

interface Alike {
  readonly verdict: PlanVerdict;
  readonly text: string;
  readonly servers: string[];
}

function groupsOf(step: ActStep, plan: Plan): readonly Alike[] {
  const byText = new Map<string, Alike>();
  for (const slice of plan.slices) {
    for (const [server, verdict] of Object.entries(slice.verdicts[step.id] ?? {})) {
      const text = verdictText(verdict, step.undoes !== null);
      const known = byText.get(text);
      if (known) known.servers.push(server);
      else byText.set(text, { verdict, text, servers: [server] });
    }
  }
  return [...byText.values()];
}

function isQuiet({ verdict }: PlanVerdict): boolean {
  return verdict === 'nothing' || verdict === 'unknown';
}

/** Servers by name where they are few; else how many, and whom they are not. */
function whoOf(servers: readonly string[], { slices }: Plan): string {
  if (servers.length <= LEFT_OUT_MAX) return nameServers(servers);
  const those = new Set(servers);
  const others = slices.flatMap((slice) => slice.servers.flatMap(({ name }) => (those.has(name) ? [] : [name])));
  if (others.length === 0) return `all ${servers.length} servers`;
  if (others.length <= LEFT_OUT_MAX) return `all but ${others.join(', ')}`;
  return nameServers(servers);
}

function verdictText(verdict: PlanVerdict, back: boolean): string {
  switch (verdict.verdict) {
    case 'nothing':
      return 'nothing to do';
    case 'change':
      return verdict.diff.length === 1
        ? `${back ? 'takes back' : '~'} ${verdict.diff[0]}`
        : [back ? 'takes back' : 'change', ...verdict.diff.map((line) => `~ ${line}`)].join('\n');
    case 'unknown':
      return `unknown until step ${verdict.untilStep}`;
    case 'refused':
      return `refused: ${verdict.why}`;
    case 'failed':
      return verdict.failure.what;
    case 'contingency':
      return `hung: left to contingency ${verdict.contingency}`;
  }
}

function paintLoud({ verdict }: PlanVerdict, text: string, paint: Paint): string {
  if (verdict === 'contingency') return paint('yellow', text);
  return verdict === 'refused' || verdict === 'failed' ? paint('red', text) : text;
}
