import { cpSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { RealFleet } from './fleet.ts';
import { cannotRunHere } from './missing-needs.ts';
import { openBmcs, operatorOn } from './operators.ts';
import { startTwelve, type Underway, type Voyage } from './voyage.ts';

/** Two machines, two journals, one fleet of real OpenSSH servers. */

/** The command that changed each server last, and how many did. */
function changes(fleet: RealFleet): readonly number[] {
  return fleet.servers.map(
    ({ name }) => fleet.commands(name).filter(({ command }) => !/status|ping|running/.test(command)).length,
  );
}

/** What each server's own record says. */
async function records(fleet: RealFleet): Promise<readonly string[]> {
  return Promise.all(
    fleet.servers.map(({ machine }) => machine.run('cat /srv/neap/.local/state/neap/fence.$(uname -n)')),
  );
}

/** The run's folder as a copy on another disk has it. */
function copyRun(from: Voyage, to: Voyage, run: string): void {
  mkdirSync(join(to.stateDir, 'runs'), { recursive: true, mode: 0o700 });
  cpSync(join(from.stateDir, 'runs', run), join(to.stateDir, 'runs', run), { recursive: true, mode: 0 });
  rmSync(join(to.stateDir, 'runs', run, 'engine.json'));
}

async function gone(pid: number, triesMax = 600): Promise<boolean> {
  for (let tries = 0; tries < triesMax; tries += 1) {
    try {
      process.kill(pid, 0);
      if (/^\d+ \(.*\) Z/.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))) return true;
    } catch {
      return true;
    }
    await sleep(50);
  }
  return false;
}

/** Stops the engine, goes on with its run elsewhere, and wakes it again: the stale engine must do nothing more. */
async function wakeStale(
  fleet: RealFleet,
  ada: Voyage,
  ben: Voyage,
  underway: Underway,
  awake: () => Promise<void>,
): Promise<string> {
  const pid = underway.enginePid();
  process.kill(pid, 'SIGSTOP');
  try {
    copyRun(ada, ben, underway.run);
    const asked = await ben.neap('resume', underway.run, '--take-over', '--detach');
    expect(asked.code).toBe(4);
    expect(asked.stderr).toMatch(new RegExp(`an engine may still have it: .*${pid}.*kill -9 ${pid}`));
    const taken = await ben.neap(
      'abort',
      underway.run,
      '--take-over',
      '--override',
      'its machine is stopped',
      '--reason',
      'the machine hangs',
    );
    expect(taken.stdout).toMatch(/closed: Home and clean/);
    expect(taken.code).toBe(1);
    for (const record of await records(fleet)) expect(record).toMatch(new RegExp(`^released ${underway.run} 2 `));
    const before = changes(fleet);
    process.kill(pid, 'SIGCONT');
    await awake();
    expect(await gone(pid)).toBe(true);
    expect(changes(fleet)).toEqual(before);
    for (const record of await records(fleet)) expect(record).toMatch(new RegExp(`^released ${underway.run} 2 `));
  } finally {
    // A stopped process outlives its test.
    if (!(await gone(pid, 1))) process.kill(pid, 'SIGKILL');
  }
  return readFileSync(join(ada.stateDir, 'runs', underway.run, 'engine.log'), 'utf8');
}

describe.skipIf(cannotRunHere())('two machines and one fleet', () => {
  test('with claims of their own: the servers refuse the second by name and time, and a stale engine too', async (context) => {
    const fleet = await startTwelve(context, { servers: 3 });
    context.onTestFinished(await openBmcs(fleet));
    const [ada, ben] = [await operatorOn(fleet, 1), await operatorOn(fleet, 2)];
    const preview = await ada.plan();
    expect(preview.stdout).toMatch(/Claims: guards this machine only/);
    expect(await ben.plan()).toMatchObject({ code: 0 });
    const underway = await ada.run();
    const second = await ben.neap('run', join(ben.stateDir, 'plan.json'), '--detach');
    expect(second.code).toBe(4);
    expect(second.stderr).toMatch(
      new RegExp(`api-01, api-02, api-03 belong to run ${underway.run}, by \\S+ on \\S+ since 20\\S+Z`),
    );
    const looked = await ben.plan();
    expect(looked.stdout.replaceAll(/\s+/g, ' ')).toContain(`belong to run ${underway.run}, by`);
    await underway.says(/gate 10:/);
    // Its own store still says that it holds the run: it goes on to its next effect, and there the server refuses it.
    const log = await wakeStale(fleet, ada, ben, underway, async () => {
      for (const gate of ['10', '11']) await underway.approve(gate).catch(() => undefined);
    });
    expect(log).toMatch(/another engine has taken this run over: .*as a server's own record says/);
    expect((await underway.ended).code).toBe(5);
  });

  test('with claims on a host that both use: the store refuses the second, and tells the stale engine', async (context) => {
    const fleet = await startTwelve(context, { servers: 3, jump: true });
    const config = { lease: 'ssh:jump' };
    context.onTestFinished(await openBmcs(fleet));
    const [ada, ben] = [await operatorOn(fleet, 1, config), await operatorOn(fleet, 2, config)];
    const preview = await ada.plan();
    expect(preview.stdout.replaceAll(/\s+/g, ' ')).toContain('Claims: ssh:jump guards against all operators');
    expect(await ben.plan()).toMatchObject({ code: 0 });
    const underway = await ada.run();
    const second = await ben.neap('run', join(ben.stateDir, 'plan.json'), '--detach');
    expect(second.code).toBe(4);
    expect(second.stderr).toMatch(
      new RegExp(
        `api-01, api-02, api-03 belong to run ${underway.run}, by \\S+ on \\S+, process ${underway.enginePid()},`,
      ),
    );
    await underway.says(/gate 10:/);
    const log = await wakeStale(fleet, ada, ben, underway, () => Promise.resolve());
    expect(log).toMatch(/another engine has taken this run over/);
    const stopped = await underway.ended;
    expect(stopped.code).toBe(5);
    expect(stopped.stderr).toMatch(/The engine stopped\. .*another engine has taken this run over/);
  });
});
