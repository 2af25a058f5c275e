import { existsSync } from 'node:fs';
import { localClaims } from '../../lease/index.ts';
import { FailureError, type Finding, type Fleet, type Server } from '../../model/index.ts';
import type { LeaseStore } from '../../ports/index.ts';
import { holderText } from '../../transport/index.ts';
import { eachAtOnce } from '../at-once.ts';
import { targetAt } from '../bystander.ts';
import type { Config } from '../config.ts';
import type { Reach } from '../reach/index.ts';
import { placeOf } from '../runs.ts';
import { FENCES_AT_ONCE } from './limits.ts';
import { claimsHost, openLease } from './open.ts';
import { isOver } from './over.ts';
import { holdingText, serversText } from './words.ts';

export interface LeaseLook {
  readonly setting: Config['lease'];
  /** Null: there is none, and only the servers themselves are asked. */
  readonly stateDir: string | null;
  readonly fleet: Fleet;
  /** Those that a run of this plan would claim. */
  readonly servers: readonly Server[];
  readonly reach: Reach;
}

/** What stands between a plan and its servers now: who has them, and whether the store of claims can be used. Writes nothing. */
export async function leaseFindings(look: LeaseLook): Promise<readonly Finding[]> {
  const near = await storeOnServer(look);
  if (near !== null) return [near];
  return [...(await claimed(look)), ...(await fenced(look))];
}

async function claimed(look: LeaseLook): Promise<readonly Finding[]> {
  const { setting, stateDir, fleet, servers } = look;
  if (stateDir === null || (setting === 'local' && !existsSync(localClaims.path(stateDir)))) return [];
  let store: LeaseStore | null = null;
  try {
    store = await openLease(setting, stateDir, fleet);
    const wanted = new Set(servers.map(({ name }) => `${fleet.name}/${name}`));
    const findings: Finding[] = [];
    for (const holding of await store.holdings()) {
      const ours = holding.servers.filter((server) => wanted.has(server));
      if (ours.length === 0 || (await overHere(look, holding.run))) continue;
      findings.push({
        severity: 'warning',
        code: 'held',
        what: `${serversText(ours)} belong to ${holdingText(holding)}`,
        cures: [`Wait for its end, or see to it: neap status ${holding.run}. Until then this plan is not begun`],
      });
    }
    return findings;
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    const { what, where, remedy } = error.failure;
    return [
      { severity: 'warning', code: 'lease', what: `${where}: ${what}; no run begins without it`, cures: [remedy] },
    ];
  } finally {
    store?.close();
  }
}

async function fenced(look: LeaseLook): Promise<readonly Finding[]> {
  const { servers, reach } = look;
  const held = new Map<string, { readonly text: string; readonly servers: string[] }>();
  const unread: Finding[] = [];
  await eachAtOnce(servers, FENCES_AT_ONCE, async (server) => {
    try {
      const record = await reach.holder(server);
      if (record === null || !record.open || (await overHere(look, record.run))) return;
      const known = held.get(record.run) ?? { text: holderText(record), servers: [] };
      known.servers.push(server.name);
      held.set(record.run, known);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      // Whoever does not answer is named by the steps that need an answer.
      if (error.failure.kind !== 'output') return;
      unread.push({
        severity: 'warning',
        code: 'fence',
        what: `${server.name}: ${error.failure.what}`,
        cures: [error.failure.remedy],
      });
    }
  });
  const findings = [...held].map(([run, { text, servers: names }]): Finding => ({
    severity: 'warning',
    code: 'held',
    what: `${serversText(names.toSorted())} belong to ${text}, as the servers' own records say`,
    cures: [
      `Where it was started: neap status ${run}. If nobody has it any more: neap fleet unfence ${run} --reason "..."`,
    ],
  }));
  return [...findings, ...unread];
}

/** A run that ended here and left something behind: whoever begins next clears it away. */
function overHere({ stateDir }: LeaseLook, run: string): Promise<boolean> {
  return stateDir === null ? Promise.resolve(false) : isOver(placeOf(stateDir, run).journal);
}

/** A store on one of the servers would go away with them. */
async function storeOnServer({ setting, fleet }: LeaseLook): Promise<Finding | null> {
  if (typeof setting !== 'string' || setting === 'local') return null;
  const { host } = claimsHost(setting);
  // What cannot be looked up is said when it is contacted.
  const server = await targetAt(fleet, host).catch(nullOnFailure);
  if (server === null) return null;
  return {
    severity: 'refusal',
    code: 'lease',
    what: `the store of claims would lie on ${server}, a server of this fleet: it would go away with it`,
    cures: ['Name a host in `lease` of neap.config.ts that no run works on'],
  };
}

function nullOnFailure(error: unknown): null {
  if (error instanceof FailureError) return null;
  throw error;
}
