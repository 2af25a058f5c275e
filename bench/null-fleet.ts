import { z } from 'zod';
import type { ActSpec, Plan, Runbook, Server } from '../src/model/index.ts';
import { compile, outline } from '../src/plan/index.ts';
import type { Actor } from '../src/ports/index.ts';
import type { Looked } from '../src/run/index.ts';
import { defineRunbook, defineStep, groupsOf, inWaves, type Step } from '../src/steps/index.ts';

/** Steps of a benchmark's line: as many as a maintenance with a canary, two switches and their proofs has. */
const STEPS = 12;

const CHANGE = { to: 'done' };

/**
 * A plan over that many servers which exist on paper only: twelve steps that each change something, in waves of 200,
 * with 200 at a time. Everything that costs with the fleet is there, but the fleet.
 */
export function nullPlan(servers: number): Plan {
  const fleet = { name: 'null', control: [], servers: Array.from({ length: servers }, (_, at) => paperServer(at)) };
  const runbook = defineRunbook({
    title: 'Twelve steps that take no time',
    reach: { all: ['ssh'] },
    inputs: z.strictObject({}),
    budget: { failures: 200 },
    window: { limitMs: 24 * 60 * 60_000 },
    steps: ({ all }) => Array.from({ length: STEPS }, (_, at): ActSpec => inWaves({ atMost: 200 }, stampOf(at)(all))),
  }) as unknown as Runbook;
  const laid = outline(runbook, groupsOf(runbook.reach), {}, fleet, new Set());
  const verdict = { verdict: 'change' as const, change: CHANGE, diff: [] };
  const verdicts = Object.fromEntries(laid.steps.map(({ id }) => [id, verdict]));
  return compile({
    neap: '0.0.0',
    runbook,
    outline: laid,
    fleet,
    digests: { runbookPath: 'null.ts', runbook: '0'.repeat(64), fleetPath: 'null.ts', fleet: '1'.repeat(64) },
    inputs: {},
    nowMs: 0,
    seed: 1,
    foresights: new Map(laid.servers.map(({ name }) => [name, { verdicts, altered: [] } as never])),
    captured: new Map(),
    except: [],
    forecast: null,
    findings: [],
  });
}

/** Answers every effect at once, as a server would to which all things succeed. */
export const nullActor: Actor = {
  act(effect) {
    const { id } = effect;
    switch (effect.effect) {
      case 'look':
        return Promise.resolve({ type: 'looked', id, outcome: SEEN });
      case 'perform':
      case 'undo':
        return Promise.resolve({ type: 'performed', id });
      case 'confirm':
        return Promise.resolve({ type: 'confirmed', id });
      case 'diagnose':
        return Promise.resolve({ type: 'diagnosed', id, condition: 'alive', seen: 'everything' });
      case 'count':
        return Promise.resolve({ type: 'counted', id, first: null, unread: [] });
      case 'shed':
        return Promise.resolve({ type: 'shed', id });
    }
  },
};

const SEEN: Looked = {
  verdict: { verdict: 'change', change: CHANGE, diff: [] },
  condition: { holds: true },
  need: { holds: true },
  readings: { load: 0.5, bootId: 'cd8adfd1-0b1c-4bd6-b6f7-f4ed6cbfb3f6' },
  repeatable: true,
  withinBounds: true,
};

function stampOf(at: number): Step<'ssh', z.ZodObject> {
  return defineStep({
    name: `stamp-${at}`,
    version: 1,
    reach: ['ssh'],
    reads: [],
    alters: [],
    input: z.strictObject({}),
    pinned: z.strictObject({}),
    readings: z.strictObject({}),
    change: z.strictObject({ to: z.string() }),
    idempotent: true,
    title: () => `stamp ${at}`,
    nature: () => 'risk',
    observe: () => Promise.resolve({ pinned: {}, readings: {} }),
    decide: () => ({ verdict: 'change', change: CHANGE, diff: [] }),
    perform: () => Promise.resolve(),
    confirm: () => Promise.resolve({ done: true }),
    expectedMs: () => 10,
    back: { undo: () => Promise.resolve() },
  });
}

function paperServer(at: number): Server {
  const call = { run: 'true' };
  const probe = { path: '/' as const, withinMs: 1_000 };
  return {
    name: `s${String(at).padStart(5, '0')}`,
    group: 'all',
    domain: `d${at % 20}`,
    ssh: 'openssh',
    service: {
      offline: { read: call, on: call, off: call },
      clocks: [],
      dependencies: {},
      probes: { health: probe, anonymous: probe, loggedIn: probe },
    },
  };
}
