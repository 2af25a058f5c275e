import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startRealFleet } from './fleet.ts';
import type { RealFleet, RealFleetOptions } from './fleet.ts';
import type { Ended } from './run-program.ts';

const NEAP = fileURLToPath(new URL('../../bin/neap', import.meta.url));
const RUNBOOK = fileURLToPath(new URL('../../runbooks/database-upgrade.ts', import.meta.url));

/** A window small enough for real time: an outage of 4 s with a margin of 2 s. */
const INPUTS = ['--input', 'outageMs=4000', '--input', 'marginMs=2000', '--input', 'capacityPerSecond=20'];

const COMMAND_LIMIT_MS = 150_000;

let starting: Promise<unknown> = Promise.resolve();

/** Twelve servers for one test, closed at its end. Started one after the other, however many tests run at once. */
export function startTwelve(
  { onTestFinished }: { readonly onTestFinished: (close: () => Promise<void>) => void },
  options: Partial<RealFleetOptions> = {},
): Promise<RealFleet> {
  const begun = starting.then(() =>
    startRealFleet({ servers: 12, ttlMs: { min: 60_000, max: 70_000 }, databaseTimeoutMs: 500, ...options }),
  );
  starting = begun.catch(() => undefined);
  return begun.then((fleet) => {
    onTestFinished(() => fleet.close());
    return fleet;
  });
}

/** One neap command that is under way. */
export interface Command {
  /** Everything that it printed so far, both streams. */
  readonly printed: () => string;
  /** Resolves when it has printed this; rejects when it ends before, or takes longer. */
  readonly says: (wanted: RegExp) => Promise<RegExpExecArray>;
  /** Its end. Rejects when the limit passes first, and kills it. */
  readonly ended: Promise<Ended>;
}

/** A run that is under way, and the command that watches it. */
export interface Underway extends Command {
  readonly run: string;
  /** The process id of its engine. */
  readonly enginePid: () => number;
  /** Waits until the gate asks, and answers it by `neap approve`. */
  readonly approve: (gate: string, answer?: string) => Promise<void>;
}

/** From where neap is used. */
export interface VoyageOptions {
  /** The folder of its configuration. */
  readonly cwd?: string;
  /** The home of whoever uses it. */
  readonly home?: string;
  /** The network namespace of the machine that it is used on; by default that of the test. */
  readonly netns?: string;
}

/** `bin/neap` as a person would use it, with a state folder of this voyage's own. */
export interface Voyage {
  readonly stateDir: string;
  /** Runs a command to its end. */
  readonly neap: (...words: readonly string[]) => Promise<Ended>;
  /** Previews the database upgrade with short times, and keeps the plan. */
  readonly plan: (...words: readonly string[]) => Promise<Ended>;
  /** `neap run` of that plan; resolves when the run is opened. */
  readonly run: (...words: readonly string[]) => Promise<Underway>;
}

/** A voyage on this fleet. */
export function voyageOn(fleet: RealFleet, options: VoyageOptions = {}): Voyage {
  const stateDir = mkdtempSync(join(fleet.dir, 'state-'));
  const planFile = join(stateDir, 'plan.json');
  const start = (...words: readonly string[]): Command => startCommand(words, stateDir, options);
  return {
    stateDir,
    neap: (...words) => start(...words).ended,
    plan: (...words) =>
      start('plan', RUNBOOK, '--fleet', fleet.fleetFile, ...INPUTS, '--out', planFile, ...words).ended,
    run: async (...words) => {
      const command = start('run', planFile, ...words);
      const [, run = ''] = await command.says(/run (\S+) opened/);
      return {
        ...command,
        run,
        enginePid: () => {
          const file = readFileSync(join(stateDir, 'runs', run, 'engine.json'), 'utf8');
          return (JSON.parse(file) as { pid: number }).pid;
        },
        approve: async (gate, answer = 'yes') => {
          await command.says(new RegExp(`gate ${gate}: .*\\?`));
          const { code, stderr } = await start('approve', run, gate, answer).ended;
          if (code !== 0)
            throw new Error(`neap approve ${run} ${gate} ${answer} ended with ${String(code)}: ${stderr}`);
        },
      };
    },
  };
}

function startCommand(words: readonly string[], stateDir: string, { cwd, home, netns }: VoyageOptions): Command {
  const [program, ...args] = netns === undefined ? [NEAP, ...words] : ['nsenter', `--net=${netns}`, NEAP, ...words];
  const child = spawn(program, args, {
    ...(cwd === undefined ? {} : { cwd }),
    env: { ...process.env, ...(home === undefined ? {} : { HOME: home }), NEAP_STATE_DIR: stateDir, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let all = '';
  const streams = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      streams[name] += text;
      all += text;
    });
  }
  const ended = endOf(child, words, () => all).then((code): Ended => ({ code, ...streams }));
  let over = false;
  ended.then(
    () => (over = true),
    () => (over = true),
  );
  return {
    printed: () => all,
    ended,
    says: async (wanted) => {
      const untilMs = performance.now() + COMMAND_LIMIT_MS;
      for (;;) {
        const found = wanted.exec(all);
        if (found !== null) return found;
        if (over || performance.now() > untilMs)
          throw new Error(`neap ${words.join(' ')} never said ${String(wanted)}:\n${all}`);
        await sleep(20);
      }
    },
  };
}

async function endOf(child: ChildProcess, words: readonly string[], printed: () => string): Promise<number> {
  const limit = setTimeout(() => child.kill('SIGKILL'), COMMAND_LIMIT_MS);
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  clearTimeout(limit);
  if (code === null) throw new Error(`neap ${words.join(' ')} was ended by ${String(signal)}:\n${printed()}`);
  return code;
}

/** What became of one server, seen past neap: its disk, its log, its BMC and the balancer. */
export interface Berth {
  readonly offline: boolean;
  readonly traffic: string;
  readonly resets: number;
  /** How often each command that changes something arrived, since the server was started. */
  readonly changes: Readonly<Record<string, number>>;
}

/** A server that a voyage took there and back: each effect once. */
export const THERE_AND_BACK: Berth = {
  offline: false,
  traffic: 'in',
  resets: 0,
  changes: { 'offline on': 1, 'cache refresh': 1, 'offline off': 1 },
};

/** The same for the canary, which is refreshed twice and whose path is cut for the soak. */
export const CANARY_THERE_AND_BACK: Berth = {
  ...THERE_AND_BACK,
  changes: {
    'offline on': 1,
    'cache refresh': 2,
    'offline off': 1,
    'path cut database 10': 1,
    'path restore database': 1,
  },
};

/** A server that nothing was done to. */
export const UNTOUCHED: Berth = { offline: false, traffic: 'in', resets: 0, changes: {} };

/** Every server as after a voyage that went well, but for these. */
export function wellBut(
  fleet: RealFleet,
  others: Readonly<Record<string, Berth>> = {},
): Readonly<Record<string, Berth>> {
  const all = fleet.servers.map(({ name }, at) => [name, at === 0 ? CANARY_THERE_AND_BACK : THERE_AND_BACK] as const);
  return { ...Object.fromEntries(all), ...others };
}

/** Every server's berth, by name. */
export async function berths(fleet: RealFleet): Promise<Readonly<Record<string, Berth>>> {
  const all = await Promise.all(
    fleet.servers.map(async ({ name, machine, bmc }) => {
      const traffic = (await (await fetch(`${fleet.balancerUrl}/servers/${name}/traffic`)).text()).trim();
      const offline = existsSync(join(machine.disk, 'api/state/offline'));
      return [name, { offline, traffic, resets: bmc.resets.length, changes: changesOf(fleet, name) }] as const;
    }),
  );
  return Object.fromEntries(all);
}

const READING = new Set(['offline status', 'cache status', 'database ping', 'path status database', 'running']);

function changesOf(fleet: RealFleet, name: string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { command } of fleet.commands(name))
    if (!READING.has(command)) counts[command] = (counts[command] ?? 0) + 1;
  return counts;
}

/** Resolves when the server has received this command: it is in the middle of it. */
export async function hasReceived(fleet: RealFleet, name: string, command: string): Promise<void> {
  const untilMs = performance.now() + COMMAND_LIMIT_MS;
  while (!fleet.commands(name).some((each) => each.command === command)) {
    if (performance.now() > untilMs) throw new Error(`${name} never received ${command}`);
    await sleep(20);
  }
}
