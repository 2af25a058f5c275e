import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { askBmc } from './bmc-client.ts';
import {
  changeHostKey,
  comeBack,
  dropIsArmed,
  dropMidCommand,
  fillDisk,
  freeDisk,
  goDark,
  halfApply,
  hang,
  heal,
  holdOldConfiguration,
  partition,
  restartSsh,
  stallBanner,
  sudoWantsPassword,
} from './faults.ts';
import { configurationOf, digestOf, writeSudoers } from './disk.ts';
import { startRealFleet } from './fleet.ts';
import type { RealFleet } from './fleet.ts';
import { leftovers } from './leftovers.ts';
import { cannotRunHere } from './missing-needs.ts';
import { Printed } from './printed.ts';
import { apictl, greeting, page, ssh } from './ssh-client.ts';

const RESET = '/redfish/v1/Systems/1/Actions/ComputerSystem.Reset';
const LIMITS = '/srv/api/etc/limits.conf';

function eventually(look: () => Promise<unknown>, wanted: unknown): Promise<unknown> {
  return vi.waitFor(async () => expect(await look()).toEqual(wanted), { timeout: 10_000, interval: 50 });
}

/** Every fault that the real tests order has the effect that its name promises, on its server and no other. */
describe.skipIf(cannotRunHere())('faults of real servers', () => {
  let fleet: RealFleet;
  beforeAll(async () => {
    fleet = await startRealFleet({ servers: 4, ttlMs: { min: 1_500, max: 2_000 }, databaseTimeoutMs: 400 });
  });
  afterAll(() => fleet.close());

  const machine = (name: string) => fleet.server(name).machine;
  const held = async (name: string) => (await apictl(fleet, name, 'running')).stdout;
  const health = (name: string) => page(`http://${fleet.server(name).address}:8080/health`);
  const seenByBalancer = (name: string) => page(`${fleet.balancerUrl}/servers/${name}/health`);

  test('a changed host key is refused by ssh', async () => {
    await changeHostKey(machine('api-01'));
    const { code, stderr } = await ssh(fleet, 'api-01', 'true');
    expect(code).toBe(255);
    expect(stderr).toContain('REMOTE HOST IDENTIFICATION HAS CHANGED');
    expect((await ssh(fleet, 'api-02', 'true')).code).toBe(0);
  });

  test('a stalled banner takes the connection and says nothing', async () => {
    const { address } = fleet.server('api-02');
    await stallBanner(machine('api-02'));
    expect(await greeting(address, 22)).toBe('mute');
    expect((await ssh(fleet, 'api-02', 'true')).stderr).toContain('timed out');
    expect(await health('api-02')).toBe('200 api-02 lives');
    await restartSsh(machine('api-02'));
    expect((await ssh(fleet, 'api-02', 'true')).code).toBe(0);
  });

  test.each([
    { when: 'after', state: 'on', sudo: false },
    { when: 'before', state: 'off', sudo: false },
    { when: 'after', state: 'on', sudo: true },
  ] as const)('a connection dropped $when the effect loses the answer, once (sudo: $sudo)', async (drop) => {
    const { when, state, sudo } = drop;
    await apictl(fleet, 'api-02', 'offline off');
    dropMidCommand(machine('api-02'), 'offline on', when);
    expect((await apictl(fleet, 'api-02', 'offline status')).stdout).toBe('off\n');
    expect(await apictl(fleet, 'api-02', 'offline on', sudo)).toMatchObject({ code: 255, stdout: '' });
    expect(dropIsArmed(machine('api-02'))).toBe(false);
    await eventually(async () => (await apictl(fleet, 'api-02', 'offline status')).stdout, `${state}\n`);
    expect((await apictl(fleet, 'api-02', 'offline on')).stdout).toBe('on\n');
    expect((await apictl(fleet, 'api-02', 'offline off')).stdout).toBe('off\n');
  });

  test('a full disk takes no flag and no file, and keeps what it holds', async () => {
    fillDisk(machine('api-02'));
    expect((await apictl(fleet, 'api-02', 'offline on')).stderr).toContain('ENOSPC');
    expect((await apictl(fleet, 'api-02', 'offline status')).stdout).toBe('off\n');
    expect((await ssh(fleet, 'api-02', 'echo x > /srv/neap/x')).stderr).toContain('No space left on device');
    expect((await ssh(fleet, 'api-02', `cat ${LIMITS}`)).stdout).toBe(configurationOf('api-02')[LIMITS]);
    freeDisk(machine('api-02'));
    expect((await ssh(fleet, 'api-02', 'echo x > /srv/neap/x')).code).toBe(0);
  });

  test('a dark server is silent to all, a partitioned one to the engine alone', async () => {
    await goDark(machine('api-03'));
    await partition(machine('api-04'));
    expect(await Promise.all([health('api-03'), health('api-04')])).toEqual(['silent', 'silent']);
    expect(await greeting(fleet.server('api-03').address, 22, 500)).toBe('closed');
    expect(await greeting(fleet.server('api-04').address, 22, 500)).toBe('closed');
    await eventually(() => seenByBalancer('api-03'), '200 down');
    expect(await seenByBalancer('api-04')).toBe('200 up');
    await comeBack(machine('api-03'));
    await heal(machine('api-04'));
    await eventually(() => Promise.all([health('api-03'), health('api-04')]), ['200 api-03 lives', '200 api-04 lives']);
    await eventually(() => seenByBalancer('api-03'), '200 up');
  });

  test('sudo that wants a password is refused without one', async () => {
    sudoWantsPassword(machine('api-04'));
    expect(await ssh(fleet, 'api-04', 'sudo -n true')).toMatchObject({
      code: 1,
      stderr: 'sudo: a password is required\n',
    });
    expect((await ssh(fleet, 'api-04', 'true')).code).toBe(0);
    writeSudoers(machine('api-04'), 'NOPASSWD: ALL');
    expect((await ssh(fleet, 'api-04', 'sudo -n true')).code).toBe(0);
  });

  test('half-applied and unread configuration are told apart by file and process', async () => {
    const right = digestOf(machine('api-03'), LIMITS);
    halfApply(machine('api-03'));
    expect(digestOf(machine('api-03'), LIMITS)).not.toBe(right);
    expect(await held('api-03')).toContain(right);
    await holdOldConfiguration(machine('api-04'));
    expect(digestOf(machine('api-04'), LIMITS)).toBe(right);
    expect(await held('api-04')).not.toContain(right);
  });

  test('the bug of the story: offline, cache expired, database silent', async () => {
    const mail = () => page(`http://${fleet.server('api-04').address}:8080/mail`, { authorization: 'Bearer probe' });
    expect(await mail()).toBe('200 mail');
    await apictl(fleet, 'api-04', 'offline on');
    fleet.database.beSilent();
    expect(await mail()).toBe('200 offline mail page');
    await eventually(async () => (await mail()).slice(0, 3), '503');
    expect(await page(`http://${fleet.server('api-04').address}:8080/`)).toBe('200 offline page');
    fleet.database.answerAgain();
    await eventually(mail, '200 offline mail page');
    await apictl(fleet, 'api-04', 'offline off');
  });

  test('a hung server is reset by its BMC: new boot, same disk, cold cache, no cut', async () => {
    const { bmc, address } = fleet.server('api-04');
    await apictl(fleet, 'api-04', 'offline on');
    await apictl(fleet, 'api-04', 'path cut database 600', true);
    const bootId = machine('api-04').bootId;
    hang(machine('api-04'));
    expect(await greeting(address, 22)).toBe('mute');
    expect(await health('api-04')).toBe('silent');
    await eventually(() => seenByBalancer('api-04'), '200 down');
    const system = await askBmc(bmc, '/redfish/v1/Systems/1');
    expect(system).toMatchObject({ status: 200, fingerprint: bmc.fingerprint, json: { PowerState: 'On' } });
    expect((await askBmc(bmc, '/redfish/v1/Systems/1', { password: 'wrong' })).status).toBe(401);
    expect((await askBmc(bmc, RESET, { body: { ResetType: 'ForceRestart' } })).status).toBe(204);
    await eventually(() => health('api-04'), '200 api-04 lives');
    expect((await ssh(fleet, 'api-04', 'cat /proc/sys/kernel/random/boot_id')).stdout).not.toBe(`${bootId}\n`);
    expect((await apictl(fleet, 'api-04', 'offline status')).stdout).toBe('on\n');
    expect((await apictl(fleet, 'api-04', 'cache status')).stdout).toBe('{}\n');
    expect((await apictl(fleet, 'api-04', 'path status database', true)).stdout).toBe('open\n');
    expect(bmc.resets.map(({ type }) => type)).toEqual(['ForceRestart']);
  });

  test('a BMC that ignores resets accepts them, and one that is down refuses', async () => {
    const { bmc } = fleet.server('api-03');
    const bootId = machine('api-03').bootId;
    bmc.ignoreResets();
    expect((await askBmc(bmc, RESET, { body: { ResetType: 'ForceRestart' } })).status).toBe(204);
    expect(machine('api-03').bootId).toBe(bootId);
    expect(await health('api-03')).toBe('200 api-03 lives');
    await bmc.goDown();
    await expect(askBmc(bmc, '/redfish/v1/Systems/1')).rejects.toThrow('ECONNREFUSED');
  });

  test('a test process that is killed leaves nothing behind either', async () => {
    const script = fileURLToPath(new URL('abandoned-fleet.ts', import.meta.url));
    const child = spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const line = await new Printed(child).line(/^\{/, 60_000);
    const { dir, net } = JSON.parse(line) as { dir: string; net: string };
    expect(leftovers(dir, net).length).toBeGreaterThan(2);
    child.kill('SIGKILL');
    await eventually(() => Promise.resolve(leftovers(dir, net)), []);
  });
});
