import type { ConfigData, Finding, Fleet, PlanHeader, Server } from '../model/index.ts';
import { calendarFindings } from './calendar-findings.ts';
import { readFreezes } from './calendars/index.ts';
import { leaseFindings } from './lease/findings.ts';
import { leaseOf } from './lease/open.ts';
import { mirrorFindings } from './mirror-findings.ts';
import type { Reach } from './reach/index.ts';

/** What a configuration says of every plan that is made under it. */
export interface Surroundings {
  /** Calendars in whose events nothing is begun, and the zone of what they say without one. */
  readonly calendars?: { readonly freezes: ConfigData['freezes']; readonly zone: string };
  /** Where the journal is to be copied, and from where: `journal.mirror` and `stateDir` of the configuration. */
  readonly mirror?: { readonly to: string; readonly stateDir: string } | null;
  /** Where claims are kept: `lease` and `stateDir` of the configuration. */
  readonly lease?: { readonly setting: ConfigData['lease']; readonly stateDir: string };
}

/** The same in a plan's words, with what stands in its way. Contacts calendars, mirror and the store of claims; writes nothing. */
export async function surroundingsOf(
  { calendars, mirror, lease }: Surroundings,
  fleet: Fleet,
  servers: readonly Server[],
  reach: Reach,
  span: { readonly fromMs: number; readonly toMs: number },
): Promise<Pick<PlanHeader, 'freezes' | 'mirror' | 'lease'> & { readonly findings: readonly Finding[] }> {
  const frozen = await readFreezes(calendars?.freezes ?? [], calendars?.zone ?? 'UTC', span.fromMs, span.toMs);
  const mirrorFound = mirror ? await mirrorFindings(mirror.to, fleet, mirror.stateDir) : [];
  const setting = lease?.setting ?? 'local';
  const leaseFound = await leaseFindings({ setting, stateDir: lease?.stateDir ?? null, fleet, servers, reach });
  return {
    freezes: [...frozen.freezes],
    mirror: mirror?.to ?? null,
    lease: leaseOf(setting),
    findings: [...calendarFindings(frozen), ...mirrorFound, ...leaseFound],
  };
}
