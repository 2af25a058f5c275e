import type { Finding } from '../model/index.ts';
import type { Foresight, Outline } from '../plan/index.ts';
import { nameServers } from '../run/index.ts';
import type { Quarantined } from './quarantine.ts';

/**
 * Why a plan may not take servers that are kept out until they are proven: by the records of this state folder, and,
 * since another machine's records are not seen here, by who would be given traffic that nothing in the plan took.
 */
export function quarantineFindings(
  { steps, servers }: Pick<Outline, 'steps' | 'servers'>,
  quarantined: readonly Quarantined[],
  foresights: ReadonlyMap<string, Foresight>,
  fleetPath: string,
): Finding[] {
  const risked = new Set(
    steps.flatMap((step) => (step.step === 'act' && step.nature === 'risk' ? step.waves.flat() : [])),
  );
  const kept = quarantined.filter(({ server }) => risked.has(server));
  const known = new Set(kept.map(({ server }) => server));
  const gives = new Set(
    steps.flatMap((step) =>
      step.step === 'act' && step.nature === 'restore' && step.alters.includes('traffic') ? [step.id] : [],
    ),
  );
  const out = servers
    .map(({ name }) => name)
    .filter((name) => risked.has(name) && !known.has(name))
    .filter((name) =>
      Object.entries(foresights.get(name)?.verdicts ?? {}).some(
        ([step, { verdict }]) => gives.has(step) && verdict === 'change',
      ),
    );
  return [
    ...kept.map(({ server, run, why }): Finding => ({
      severity: 'refusal',
      code: 'quarantine',
      what: `${server} is in quarantine since run ${run}: ${why}`,
      cures: [
        `Bring it back, proven: neap fleet rejoin ${server} --fleet ${fleetPath}`,
        `Or leave it out: --except ${server}="in quarantine"`,
      ],
    })),
    ...(out.length === 0
      ? []
      : [
          {
            severity: 'warning' as const,
            code: 'quarantine',
            what: `${nameServers(out)}: out of the balancer already, and this plan would give traffic; whoever took it out may have a reason that is not known here`,
            cures: [`Ask who took it out, or have it proven: neap fleet rejoin ${out.join(' ')} --fleet ${fleetPath}`],
          },
        ]),
  ];
}
