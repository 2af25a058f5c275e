import type { ActStep, ConnectionsOfStep, LoadOfStep, PlanHeader, PlanStep, ServingOfStep } from '../../model/index.ts';

/** So many waves are told one by one; of more the first, the worst and the last. */
const TOLD_MAX = 8;

/** A tenth of what is accepted, or completed a second, is worth a line. */
const WORTH = 10;

type Served = ActStep & { readonly serving: ServingOfStep };

/** What the waves of a plan put on those who serve meanwhile, and what they open in connections: a line a step. */
export function servingLines({ steps }: PlanHeader): string[] {
  const served = steps.filter(isServed);
  return [...loadLines(served), ...connectionLines(served)];
}

function isServed(step: PlanStep): step is Served {
  return step.step === 'act' && step.serving !== undefined;
}

function loadLines(steps: readonly Served[]): string[] {
  const told = steps.flatMap((step) => {
    const { load } = step.serving;
    return load && (load.resizedFrom !== null || moves(load)) ? [{ step, load }] : [];
  });
  const groups = [...new Set(told.map(({ load }) => load.group))];
  return groups.flatMap((group) => {
    const own = told.filter(({ load }) => load.group === group);
    const [first] = own;
    return first ? [groupLine(first.load), ...own.map(({ step, load }) => stepLine(step, load))] : [];
  });
}

function moves({ serving, waves }: LoadOfStep): boolean {
  return waves.some((wave) => wave.serving !== serving);
}

function groupLine({ group, offline, trafficPerSecond, returnSurge, capacityPerSecond }: LoadOfStep): string {
  const parts = [
    `${number(trafficPerSecond)} requests/s in all`,
    offline === 'leaves' ? 'an offline server leaves the balancer' : 'an offline server goes on answering',
    `x${returnSurge} when it is back`,
    capacityPerSecond === null
      ? 'what one server bears is not declared'
      : `one server bears ${number(capacityPerSecond)}/s`,
  ];
  return `Load on those who serve (${group}): ${parts.join('; ')}`;
}

function stepLine(step: Served, load: LoadOfStep): string {
  const { waves, resizedFrom, limitPerSecond } = load;
  const home = waves.some(({ homePerSecond }) => homePerSecond !== null);
  const there = list(waves.map(({ perSecond }) => perSecond));
  const back = home ? `; on the way home ${list(waves.map(({ homePerSecond }) => homePerSecond ?? 0))}` : '';
  const left = list(waves.map(({ serving }) => serving));
  const edge = Math.max(...waves.map(({ edgeShare }) => edgeShare));
  const held =
    limitPerSecond === null || edge === 0
      ? ''
      : `; held at ${number(limitPerSecond)}/s each, and the balancer answers up to ${Math.round(edge * 100)}% itself`;
  const smaller = resizedFrom === null ? '' : `; waves were made smaller: ${step.atMost} at a time, not ${resizedFrom}`;
  return `      step ${step.id}, wave by wave: ${there}/s each, ${left} serving${back}${held}${smaller}`;
}

function connectionLines(steps: readonly Served[]): string[] {
  const told = steps.flatMap((step) => step.serving.connections.map((of) => ({ step, of })));
  const names = [...new Set(told.map(({ of }) => of.dependency))];
  return names.flatMap((name) => {
    const own = told.filter(({ of }) => of.dependency === name);
    const [first] = own;
    if (!first || !own.some(({ of }) => isWorthTelling(of))) return [];
    const { max, perSecond, from, now } = first.of;
    const atMost = number(first.of.waves[0]?.before ?? 0);
    const begin =
      now === null
        ? `${atMost} with every pool full`
        : `${number(now)} now, ${atMost} ${from === 'reading' ? 'by that reading' : 'with every pool full'}`;
    const head = `Connections to ${name}: ${begin}; it accepts ${number(max)}, and ${number(perSecond)} new ones a second`;
    return [
      head,
      ...own
        .filter(({ of }) => isWorthTelling(of))
        .map(({ step, of }) => {
          const fresh = of.newPerSecond > 0 ? `; at most ${number(of.newPerSecond)} new ones in a second` : '';
          const home = of.homePerSecond !== null ? `; on the way home at most ${number(of.homePerSecond)}` : '';
          return `      step ${step.id}, wave by wave: ${list(of.waves.map(({ after }) => after))}${fresh}${home}`;
        }),
    ];
  });
}

/** Not what opens a handful for a moment. */
function isWorthTelling({ waves, max, perSecond, newPerSecond, homePerSecond }: ConnectionsOfStep): boolean {
  return (
    Math.max(newPerSecond, homePerSecond ?? 0) * WORTH >= perSecond ||
    waves.some(({ before, after }) => Math.abs(after - before) * WORTH >= max)
  );
}

/** `11, 9, 6`; alike all through: once; many: the first, the largest and the last. */
function list(values: readonly number[]): string {
  const [first = 0] = values;
  const last = values.at(-1) ?? 0;
  if (values.every((value) => value === first)) return number(first);
  if (values.length <= TOLD_MAX) return values.map(number).join(', ');
  const most = Math.max(...values);
  return `${number(first)} ... ${most === first || most === last ? '' : `${number(most)} at most ... `}${number(last)}`;
}

function number(value: number): string {
  const text = String(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
  return text.replaceAll(/\B(?=(\d{3})+$)/g, ',');
}
