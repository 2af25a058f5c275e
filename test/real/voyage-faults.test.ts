import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { configurationOf, digestOf, fingerprintOf } from './disk.ts';
import {
  changeHostKey,
  comeBack,
  dropMidCommand,
  goDark,
  halfApply,
  hang,
  heal,
  partition,
  slowCommand,
  stallBanner,
} from './faults.ts';
import type { RealFleet } from './fleet.ts';
import { cannotRunHere } from './missing-needs.ts';
import { mustRun } from './run-program.ts';
import { ssh } from './ssh-client.ts';
import type { Underway } from './voyage.ts';
import {
  CANARY_THERE_AND_BACK,
  THERE_AND_BACK,
  UNTOUCHED,
  berths,
  hasReceived,
  startTwelve,
  voyageOn,
  wellBut,
} from './voyage.ts';

const LIMITS = '/srv/api/etc/limits.conf';

/** What a server did that went offline, and home again without the window. */
const TURNED_BACK = { ...THERE_AND_BACK, changes: { 'offline on': 1, 'offline off': 1 } };

async function planned(fleet: RealFleet): Promise<ReturnType<typeof voyageOn>> {
  const voyage = voyageOn(fleet);
  expect((await voyage.plan()).code).toBe(0);
  return voyage;
}

/** Opens both gates of the upgrade. */
async function workIsDone(underway: Underway): Promise<void> {
  await underway.approve('10');
  await underway.approve('11');
}

/** Slow enough, on these servers, that something can happen in the middle of their wave. */
async function inTheirWave(fleet: RealFleet, names: readonly string[], seconds: number): Promise<void> {
  for (const name of names) slowCommand(fleet.server(name).machine, 'offline on', seconds);
  await Promise.all(names.map((name) => hasReceived(fleet, name, 'offline on')));
}

/** What goes wrong while the upgrade is under way. Most of the time here is waiting, so some run at once. */
describe.skipIf(cannotRunHere()).concurrent('the database upgrade, with faults on the way', () => {
  test('a hung server is reset after the gate, mended, proven and given traffic', async (context) => {
    const fleet = await startTwelve(context);
    const { machine, bmc } = fleet.server('api-06');
    const voyage = await planned(fleet);
    const underway = await voyage.run();
    await inTheirWave(fleet, ['api-06'], 30);
    const bootId = machine.bootId;
    hang(machine);
    // As a reset in the middle of a write would leave it; it comes back so.
    halfApply(machine);
    await workIsDone(underway);
    expect(bmc.resets).toEqual([]);
    await underway.approve('c1:c1.2');
    const { code, stdout } = await underway.ended;
    expect(stdout).toMatch(
      /api-06 is hung: SSH silent, HTTP silent, the balancer sees it down, power On, control targets answer/,
    );
    expect(stdout).toMatch(/closed: Done\. .*Recovered on the way: api-06\. .*\(exit code 0\)/);
    expect(code).toBe(0);
    expect(bmc.resets.map(({ type }) => type)).toEqual(['ForceRestart']);
    expect((await ssh(fleet, 'api-06', 'cat /proc/sys/kernel/random/boot_id')).stdout.trim()).not.toBe(bootId);
    expect(await mustRun('cat', [`${machine.disk}/api/etc/limits.conf`])).toBe(configurationOf('api-06')[LIMITS]);
    expect((await ssh(fleet, 'api-06', '/srv/api/bin/apictl running')).stdout).toContain(
      `${digestOf(machine, LIMITS)}  ${LIMITS}`,
    );
    const changes = { 'offline on': 1, reload: 1, 'cache refresh': 1 };
    expect(await berths(fleet)).toEqual(wellBut(fleet, { 'api-06': { ...THERE_AND_BACK, resets: 1, changes } }));
    expect(await fleet.trafficChanges()).toEqual(['api-06 out', 'api-06 in']);
  });

  test('one goes dark, one is cut off from here only: both counted, none reset without a yes', async (context) => {
    const fleet = await startTwelve(context);
    const voyage = await planned(fleet);
    const underway = await voyage.run();
    await inTheirWave(fleet, ['api-06', 'api-07'], 3);
    await goDark(fleet.server('api-06').machine);
    await partition(fleet.server('api-07').machine);
    await underway.approve('10');
    await underway.says(/api-06 is hung: .*the balancer sees it down/);
    await underway.says(/api-07 is silent: .*the balancer sees it up/);
    expect((await voyage.neap('status', underway.run)).stdout).toContain('Budget: 2 of 3 failures.');
    await heal(fleet.server('api-07').machine);
    await underway.approve('11');
    await underway.approve('c1:c1.2', 'no');
    const { code, stdout } = await underway.ended;
    expect(stdout).toMatch(/Quarantined, .*: api-07 \(.*State not proven: api-06 \(it is hung/);
    expect(code).toBe(5);
    await comeBack(fleet.server('api-06').machine);
    const { 'api-06': dark, 'api-07': cutOff, ...others } = await berths(fleet);
    expect(dark).toEqual({ offline: true, traffic: 'out', resets: 0, changes: { 'offline on': 1 } });
    // Silence is no reason to reset anybody; it is one to take no traffic until it is proven.
    expect(cutOff).toEqual({ ...TURNED_BACK, traffic: 'out' });
    const { 'api-06': _dark, 'api-07': _cutOff, ...well } = wellBut(fleet);
    expect(others).toEqual(well);
  });

  test('a connection lost in the middle of a command: looked at first, each effect once', async (context) => {
    const fleet = await startTwelve(context);
    dropMidCommand(fleet.server('api-03').machine, 'offline on', 'after');
    dropMidCommand(fleet.server('api-07').machine, 'offline on', 'before');
    dropMidCommand(fleet.server('api-10').machine, 'offline off', 'after');
    const voyage = await planned(fleet);
    const underway = await voyage.run();
    await workIsDone(underway);
    expect((await underway.ended).code).toBe(0);
    // The one that had no effect was asked for again, once it was seen to have none; nobody else was.
    const again = { ...THERE_AND_BACK, changes: { ...THERE_AND_BACK.changes, 'offline on': 2 } };
    expect(await berths(fleet)).toEqual(wellBut(fleet, { 'api-07': again }));
    const asked = fleet.commands('api-07').map(({ command }) => command);
    const between = asked.slice(asked.indexOf('offline on') + 1, asked.lastIndexOf('offline on'));
    expect(between.filter((command) => command === 'offline status').length).toBeGreaterThan(1);
  });

  test('changed between plan and run: a host key and a server that greets no more are left out by name', async (context) => {
    const fleet = await startTwelve(context);
    const voyage = await planned(fleet);
    const { machine } = fleet.server('api-06');
    const known = await fingerprintOf(machine);
    await changeHostKey(machine);
    await stallBanner(fleet.server('api-10').machine);
    const underway = await voyage.run();
    await underway.approve('10');
    const status = await voyage.neap('status', underway.run);
    expect(status.stdout).toContain('Budget: 2 of 3 failures.');
    await underway.approve('11');
    const { code, stdout } = await underway.ended;
    expect(stdout).toMatch(/api-06 is out of the run at .*"check server and BMC": its host key has changed/);
    expect(stdout).toContain(`it shows ${await fingerprintOf(machine)} (ssh-ed25519), known is ${known}`);
    expect(stdout).toMatch(
      /api-10 is out of the run at .*"check server and BMC": SSH to \S+ did not answer within 5000 ms/,
    );
    expect(stdout).toMatch(/closed: Done\. .*Quarantined, .*: api-06 \(.*\); api-10 \(.*\)\. .*\(exit code 0\)/);
    expect(code).toBe(0);
    expect(await berths(fleet)).toEqual(
      wellBut(fleet, { 'api-06': { ...UNTOUCHED, traffic: 'out' }, 'api-10': { ...UNTOUCHED, traffic: 'out' } }),
    );
  });

  test('a jump host that dies in the middle of a wave and comes back: one fault, and the run goes on', async (context) => {
    const fleet = await startTwelve(context, { jump: true });
    const voyage = await planned(fleet);
    const underway = await voyage.run();
    await inTheirWave(fleet, ['api-09', 'api-10', 'api-11'], 2);
    await fleet.jump?.cutPower();
    await underway.says(/PAGE The way through jump is broken since/);
    await sleep(4_000);
    await fleet.jump?.boot();
    await workIsDone(underway);
    const { code, stdout } = await underway.ended;
    expect(stdout.match(/PAGE The way through/g)).toHaveLength(1);
    expect(stdout).toMatch(/closed: Done\. .*\(exit code 0\)/);
    expect(code).toBe(0);
    expect(await berths(fleet)).toEqual(wellBut(fleet));
  });

  test('a jump host that stays away: one fault of six servers, held, and home once it is back', async (context) => {
    const fleet = await startTwelve(context, { jump: true });
    const voyage = await planned(fleet);
    const underway = await voyage.run();
    await inTheirWave(fleet, ['api-09', 'api-10', 'api-11'], 2);
    await fleet.jump?.cutPower();
    await underway.says(/PAGE The way through jump is broken since/);
    expect((await voyage.neap('abort', underway.run, '--reason', 'no way to rack 3', '--detach')).code).toBe(0);
    // Longer than a lost server would be given.
    await sleep(20_000);
    expect((await voyage.neap('status', underway.run)).stdout).toContain('Budget: 1 of 3 failures.');
    expect(underway.printed()).not.toMatch(/closed:|is out of the run/);
    await fleet.jump?.boot();
    const { code, stdout } = await underway.ended;
    expect(stdout).toContain('closed: Home and clean.');
    expect(code).toBe(1);
    const { 'api-01': canary, 'api-12': last, ...others } = await berths(fleet);
    expect(canary).toEqual({
      ...CANARY_THERE_AND_BACK,
      changes: { ...CANARY_THERE_AND_BACK.changes, 'cache refresh': 1 },
    });
    expect(last).toEqual(UNTOUCHED);
    expect(Object.values(others)).toEqual(Array.from({ length: 10 }, () => TURNED_BACK));
  });
});
