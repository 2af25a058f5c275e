import type { Plan, Runbook } from '../../src/model/index.ts';
import { deedsAfter, wayBack, type Deed, type Standing } from '../../src/plan/index.ts';
import { deedsOf } from '../../src/run/index.ts';
import type { Drive } from './drive.ts';
import { outlineOf } from './plans.ts';
import { paperFleet } from './fleet.ts';

export interface BackWish {
  readonly runbook: Runbook;
  readonly servers: number;
  readonly to?: string;
  readonly only?: readonly string[];
  readonly except?: readonly { readonly server: string; readonly reason: string }[];
  /** How servers stand towards what was done; as after it unless said. */
  readonly standing?: (deed: Deed) => Standing;
}

/** The way back of a run that was driven by hand, without the edge. */
export function paperWayBack(drive: Drive, { runbook, servers, ...wish }: BackWish): Plan {
  const { plan } = drive.machine.index;
  const events = drive.events.map((event) => ({ atMs: 0, event }));
  const deeds = deedsOf(events, drive.state, drive.machine.index);
  const after = wish.to === undefined ? deeds : deedsAfter(deeds, plan, wish.to);
  if (after === null) throw new Error(`no step ${wish.to}`);
  return wayBack({
    neap: '0.0.0',
    plan,
    run: 'r',
    closed: { outcome: drive.closed.outcome, atMs: drive.closed.atMs },
    deeds: after,
    kinds: outlineOf(runbook, paperFleet({ servers })).kinds,
    standing: wish.standing ?? (() => ({ stands: 'after' })),
    to: wish.to ?? null,
    only: wish.only ?? null,
    except: wish.except ?? [],
    fleet: plan.header.fleet,
    runbookPath: 'runbook.ts',
    nowMs: 0,
    seed: 1,
    findings: [],
    settings: { freezes: [], lease: plan.header.lease, mirror: null },
  });
}
