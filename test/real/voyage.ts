import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync } from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { RealFleet } from './fleet.ts';
import type { Ended } from './run-program.ts';

const NEAP = fileURLToPath(new URL('../../bin/neap', import.meta.url));
const RUNBOOK = fileURLToPath(new URL('../../runbooks/database-upgrade.ts', import.meta.url));

/** A window small enough for real time: an outage of 4 s with a margin of 2 s. */
const INPUTS = ['--input', 'outageMs=4000', '--input', 'marginMs=2000', '--input', 'capacityPerSecond=20'];

const COMMAND_LIMIT_MS = 110_000;

/** The name under which the test fleets let gates be opened unattended. */
export const APPROVER = 'rehearsal';

/** One neap command that is under way. */
export interface Command {
  /** Everything that it printed so far, both streams. */
  readonly printed: () => string;
  /** Resolves when it has printed this; rejects when it ends before, or takes longer. */
  readonly says: (wanted: RegExp, timeoutMs?: number) => Promise<RegExpExecArray>;
  /** Its end. Rejects after the limit, and kills it. */
  readonly ended: Promise<Ended>;
}

/** `bin/neap` as a person would use it, with a state folder of this voyage's own. */
export interface Voyage {
  readonly stateDir: string;
  /** Runs a command to its end. */
  readonly neap: (...words: readonly string[]) => Promise<Ended>;
  /** Starts a command. */
  readonly start: (...words: readonly string[]) => Command;
  /** Previews the database upgrade with short times and writes the plan to `planFile`. */
  readonly plan: (...words: readonly string[]) => Promise<Ended>;
  readonly planFile: string;
  /** `neap run` of that plan, its gates opened unattended. */
  readonly run: (...words: readonly string[]) => Command;
  /** The process id of the run's engine. */
  readonly enginePid: (run: string) => number;
}

/** A voyage on this fleet. */
export function voyageOn(fleet: RealFleet): Voyage {
  const stateDir = mkdtempSync(join(fleet.dir, 'state-'));
  const planFile = join(stateDir, 'plan.json');
  const start = (...words: readonly string[]): Command => startCommand(words, stateDir);
  return {
    stateDir,
    planFile,
    start,
    neap: (...words) => start(...words).ended,
    plan: (...words) => start('plan', RUNBOOK, '--fleet', fleet.fleetFile, ...INPUTS, '--out', planFile, ...words).ended,
    run: (...words) => start('run', planFile, '--unattended', ...words),
    enginePid: (run) => {
      const { pid } = JSON.parse(readFileSync(join(stateDir, 'runs', run, 'engine.json'), 'utf8')) as { pid: number };
      return pid;
    },
  };
}

function startCommand(words: readonly string[], stateDir: string): Command {
  const child = spawn(NEAP, words, {
    env: { ...process.env, NEAP_STATE_DIR: stateDir, NO_COLOR: '1' },
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
    says: async (wanted, timeoutMs = 60_000) => {
      const untilMs = performance.now() + timeoutMs;
      for (;;) {
        const found = wanted.exec(all);
        if (found !== null) return found;
        if (over || performance.now() > untilMs) throw new Error(`neap ${words.join(' ')} never said ${String(wanted)}:\n${all}`);
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

const CHANGING = ['offline on', 'offline off', 'cache refresh', 'path cut', 'path restore', 'reload'];

function changesOf(fleet: RealFleet, name: string): Record<string, number> {
  const received = fleet.commands(name).map(({ command }) => command);
  const counted = CHANGING.map((change) => [change, received.filter((each) => each.startsWith(change)).length] as const);
  return Object.fromEntries(counted.filter(([, count]) => count > 0));
}
