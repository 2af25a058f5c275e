import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fleetSchema } from '../../src/model/index.ts';
import { digestOf } from './disk.ts';
import { startRealFleet } from './fleet.ts';
import type { RealFleet } from './fleet.ts';
import { leftovers } from './leftovers.ts';
import { cannotRunHere } from './missing-needs.ts';
import { apictl, greeting, page, ssh } from './ssh-client.ts';

/** The fleet that the real tests use is itself what it claims to be: twelve servers, half of them behind a jump host. */
describe.skipIf(cannotRunHere())('a fleet of twelve real servers', () => {
  let fleet: RealFleet;
  beforeAll(async () => {
    fleet = await startRealFleet({ servers: 12, jump: true });
  });
  afterAll(() => fleet.close());

  test('every server takes the login, under its own name, host key and boot', async () => {
    const answers = await Promise.all(
      fleet.servers.map(({ name }) =>
        ssh(fleet, name, 'id -un; hostname; cat /proc/sys/kernel/random/boot_id; sudo -n id -un'),
      ),
    );
    expect(answers.map(({ stderr }) => stderr)).toEqual(Array(12).fill(''));
    expect(answers.map(({ stdout }) => stdout.trim().split('\n'))).toEqual(
      fleet.servers.map(({ name, machine }) => ['neap', name, machine.bootId, 'root']),
    );
    expect(new Set(fleet.servers.map(({ machine }) => machine.bootId)).size).toBe(12);
    const known = readFileSync(`${fleet.dir}/known_hosts`, 'utf8').trim().split('\n');
    expect(new Set(known.map((line) => line.split(' ')[2])).size).toBe(13);
  });

  test('each server has its own files at the same paths, and sees none of the others', async () => {
    await ssh(fleet, 'api-01', 'echo mine > /srv/neap/note; echo mine > /tmp/note');
    expect((await ssh(fleet, 'api-01', 'cat /srv/neap/note /tmp/note')).stdout).toBe('mine\nmine\n');
    expect((await ssh(fleet, 'api-02', 'ls /srv/neap /tmp')).stdout).toBe('/srv/neap:\n\n/tmp:\n');
    expect((await ssh(fleet, 'api-02', 'cat /srv/api/etc/api.conf')).stdout).toContain('name = api-02');
    expect((await ssh(fleet, 'api-02', `sudo -n ls -A ${fleet.dir}`)).code).not.toBe(0);
    const processes = await ssh(fleet, 'api-02', 'cat /proc/[0-9]*/cmdline | tr "\\0" "\\n"');
    expect(processes.stdout.split('\n').filter((word) => word === '/srv/api/lib/main.ts')).toHaveLength(1);
  });

  test('the later half answers SSH only through the jump host, and HTTP to everybody', async () => {
    expect(fleet.servers.filter(({ behindJump }) => behindJump).map(({ name }) => name)).toEqual(
      ['07', '08', '09', '10', '11', '12'].map((number) => `api-${number}`),
    );
    expect(await greeting(fleet.server('api-06').address, 22)).toMatch(/^SSH-2.0-OpenSSH/);
    expect(await greeting(fleet.server('api-07').address, 22, 500)).toBe('closed');
    expect(await page(`http://${fleet.server('api-07').address}:8080/health`)).toBe('200 api-07 lives');
  });

  test('a jump host that dies takes the way to its half, and no other', async () => {
    await fleet.jump?.cutPower();
    expect((await ssh(fleet, 'api-08', 'true')).code).toBe(255);
    expect((await ssh(fleet, 'api-02', 'true')).code).toBe(0);
    await fleet.jump?.boot();
    expect((await ssh(fleet, 'api-08', 'true')).code).toBe(0);
  });

  test('apictl operates the service, and every command is on record', async () => {
    const before = fleet.commands('api-03').length;
    expect((await apictl(fleet, 'api-03', 'offline status')).stdout).toBe('off\n');
    expect((await apictl(fleet, 'api-03', 'offline on')).stdout).toBe('on\n');
    expect((await apictl(fleet, 'api-03', 'offline status')).stdout).toBe('on\n');
    const { ageMs, ttlMs } = JSON.parse((await apictl(fleet, 'api-03', 'cache status')).stdout) as Record<
      string,
      number
    >;
    expect(ageMs).toBeLessThan(5_000);
    expect(ttlMs).toBeGreaterThanOrEqual(180_000);
    expect(ttlMs).toBeLessThanOrEqual(240_000);
    expect((await apictl(fleet, 'api-03', 'cache refresh')).code).toBe(0);
    expect((await apictl(fleet, 'api-03', 'database ping')).stdout).toBe('answers\n');
    expect((await apictl(fleet, 'api-03', 'offline off')).code).toBe(0);
    expect((await apictl(fleet, 'api-03', 'offline sideways')).code).toBe(64);
    const received = fleet.commands('api-03').slice(before);
    expect(received.map(({ command }) => command)).toEqual([
      'offline status',
      'offline on',
      'offline status',
      'cache status',
      'cache refresh',
      'database ping',
      'offline off',
      'offline sideways',
    ]);
    expect(new Set(received.map(({ bootId }) => bootId))).toEqual(new Set([fleet.server('api-03').machine.bootId]));
    expect(fleet.database.answered).toContain('ping api-03');
  });

  test('the process holds what it read, until it is told to reload', async () => {
    const { machine } = fleet.server('api-04');
    const path = '/srv/api/etc/limits.conf';
    const old = digestOf(machine, path);
    expect((await ssh(fleet, 'api-04', `echo changed = true | sudo -n tee -a ${path}`)).code).toBe(0);
    expect((await apictl(fleet, 'api-04', 'running')).stdout).toContain(`${old}  ${path}\n`);
    expect((await apictl(fleet, 'api-04', 'reload')).stdout).toBe('reloaded\n');
    expect(digestOf(machine, path)).not.toBe(old);
    expect((await apictl(fleet, 'api-04', 'running')).stdout).toContain(`${digestOf(machine, path)}  ${path}\n`);
  });

  test('one path to the database can be cut, and opens by itself', async () => {
    expect((await apictl(fleet, 'api-01', 'path cut database 3')).stderr).toContain('Permission denied');
    expect((await apictl(fleet, 'api-01', 'path cut database 2', true)).code).toBe(0);
    // A later cut takes the place of the first, whose timer then leaves it alone.
    expect((await apictl(fleet, 'api-01', 'path cut database 5', true)).code).toBe(0);
    const cutAtMs = Date.now();
    expect((await apictl(fleet, 'api-01', 'path status database', true)).stdout).toBe('cut\n');
    const [here, there] = await Promise.all([
      apictl(fleet, 'api-01', 'database ping'),
      apictl(fleet, 'api-02', 'database ping'),
    ]);
    expect(here.code).toBe(1);
    expect(here.stderr).toContain('the database does not answer');
    expect(there.stdout).toBe('answers\n');
    const status = async () => (await apictl(fleet, 'api-01', 'path status database', true)).stdout;
    await vi.waitFor(async () => expect(await status()).toBe('open\n'), { timeout: 10_000, interval: 50 });
    expect(Date.now() - cutAtMs).toBeGreaterThan(4_000);
    expect((await apictl(fleet, 'api-01', 'database ping')).stdout).toBe('answers\n');
    await apictl(fleet, 'api-01', 'path cut database 600', true);
    await apictl(fleet, 'api-01', 'path restore database', true);
    expect(await status()).toBe('open\n');
  });

  test('the balancer takes servers in and out, and looks for itself', async () => {
    const at = (what: string) => `${fleet.balancerUrl}/servers/api-05/${what}`;
    const put = (state: string) => fetch(at('traffic'), { method: 'PUT', body: JSON.stringify(state) });
    expect(await page(at('traffic'))).toBe('200 in');
    expect((await put('out')).status).toBe(200);
    expect(await page(at('traffic'))).toBe('200 out');
    expect((await put('sideways')).status).toBe(400);
    await put('in');
    expect(await fleet.trafficChanges()).toEqual(['api-05 out', 'api-05 in']);
    expect(await page(at('health'))).toBe('200 up');
    expect(await page(`${fleet.balancerUrl}/control`)).toBe('200 here');
  });

  test('its fleet file says what neap takes for a fleet', () => {
    const text = readFileSync(fleet.fleetFile, 'utf8');
    const written = fleetSchema.parse(JSON.parse(text.slice(text.indexOf('(') + 1, text.lastIndexOf(')'))));
    expect(written.servers.map(({ name }) => name)).toEqual(fleet.servers.map(({ name }) => name));
    expect(new Set(written.servers.map(({ domain }) => domain))).toEqual(new Set(['rack-1', 'rack-2', 'rack-3']));
    expect(text).not.toContain(fleet.server('api-01').bmc.password);
  });

  test('closed, it leaves nothing behind', async () => {
    const net = fleet.servers[0]!.address.replace(/\.\d+$/, '');
    expect(leftovers(fleet.dir, net).length).toBeGreaterThan(12);
    await apictl(fleet, 'api-01', 'path cut database 600', true);
    await fleet.close();
    expect(leftovers(fleet.dir, net)).toEqual([]);
    expect(await page(fleet.server('api-01').bmc.url)).toBe('silent');
  });
});
