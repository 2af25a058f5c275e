import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { fingerprintOf } from './disk.ts';
import { changeHostKey, fillDisk, halfApply, slowCommand, stallBanner, sudoWantsPassword } from './faults.ts';
import { cannotRunHere } from './missing-needs.ts';
import { mustRun } from './run-program.ts';
import { THERE_AND_BACK, UNTOUCHED, berths, hasReceived, startTwelve, voyageOn, wellBut } from './voyage.ts';

/** The whole upgrade by `bin/neap`, seen from its exit code, its words and the servers themselves. */
describe.skipIf(cannotRunHere())('the database upgrade on twelve real servers', () => {
  test('a healthy voyage: there and back, each effect once, while the database is away for its time', async (context) => {
    const fleet = await startTwelve(context);
    const voyage = voyageOn(fleet);
    const preview = await voyage.plan();
    expect(preview).toMatchObject({ code: 0, stderr: '' });
    expect(preview.stdout).toMatch(/, 0 of them writing/);
    expect(Object.values(await berths(fleet))).toEqual(Array(12).fill(UNTOUCHED));
    const underway = await voyage.run();
    await underway.approve('10');
    await underway.says(/gate 11:/);
    fleet.database.beSilent();
    await sleep(4_000);
    fleet.database.answerAgain();
    await underway.approve('11');
    const { code, stdout, stderr } = await underway.ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toMatch(/closed: Done\. .*\(exit code 0\)/);
    expect(await berths(fleet)).toEqual(wellBut(fleet));
    expect(await fleet.trafficChanges()).toEqual([]);
  });

  test('found in the preview: a changed host key, a server that does not greet, sudo that wants a password', async (context) => {
    const fleet = await startTwelve(context);
    const { machine } = fleet.server('api-05');
    const known = await fingerprintOf(machine);
    await changeHostKey(machine);
    await stallBanner(fleet.server('api-06').machine);
    sudoWantsPassword(fleet.server('api-07').machine);
    const startedAtMs = performance.now();
    const { code, stdout } = await voyageOn(fleet).plan();
    const tookMs = performance.now() - startedAtMs;
    const refusals = stdout.slice(stdout.indexOf('\nRefused: ')).replaceAll(/\s+/g, ' ');
    expect(code).toBe(4);
    expect(refusals).toContain(
      `api-05: its host key has changed: it shows ${await fingerprintOf(machine)} (ssh-ed25519), known is ${known}`,
    );
    expect(refusals).toContain(`ssh-keygen -R '${machine.spec.address}'`);
    expect(refusals).toMatch(/api-06: SSH to neap@\S+ did not answer within 5000 ms/);
    expect(refusals).toContain(
      'api-07: sudo would not run a command without a password (sudo: a password is required)',
    );
    expect(refusals).toContain('neap ALL=(root) NOPASSWD: ALL (visudo)');
    expect(refusals).not.toMatch(/api-(01|02|03|04|08|09|10|11|12)/);
    // One connect deadline of 5 s, one look at its vital signs of 5 s.
    expect(tookMs).toBeLessThan(20_000);
    expect(Object.values(await berths(fleet))).toEqual(Array(12).fill(UNTOUCHED));
  });

  test('a full disk: the file stays as it was, the server out of traffic, and the exit code tells', async (context) => {
    const fleet = await startTwelve(context);
    const voyage = voyageOn(fleet);
    const { machine } = fleet.server('api-06');
    halfApply(machine);
    const half = readFileSync(join(machine.disk, 'api/etc/limits.conf'), 'utf8');
    expect((await voyage.plan()).stdout).toContain('~ traffic: in -> out (quarantined until proven)');
    const underway = await voyage.run();
    await underway.approve('10');
    await underway.says(/gate 11:/);
    fillDisk(machine);
    await underway.approve('11');
    const { code, stdout } = await underway.ended;
    expect(stdout).toMatch(/State not proven: api-06 \(writing \/srv\/api\/etc\/limits\.conf found no space/);
    expect(code).toBe(5);
    expect(readFileSync(join(machine.disk, 'api/etc/limits.conf'), 'utf8')).toBe(half);
    expect(await mustRun('ls', ['-A', join(machine.disk, 'api/etc')])).toBe('api.conf\nlimits.conf\n');
    expect(await berths(fleet)).toEqual(wellBut(fleet, { 'api-06': { ...THERE_AND_BACK, traffic: 'out' } }));
  });

  test('kill -9 of the engine in the middle of a wave, then resume: the same end, each effect once', async (context) => {
    const fleet = await startTwelve(context, { unattendedApprover: 'rehearsal' });
    const voyage = voyageOn(fleet);
    await voyage.plan();
    slowCommand(fleet.server('api-06').machine, 'offline on', 2);
    const underway = await voyage.run('--unattended');
    await hasReceived(fleet, 'api-06', 'offline on');
    process.kill(underway.enginePid(), 'SIGKILL');
    const left = await underway.ended;
    expect(left.code).toBe(5);
    expect(left.stderr).toContain(`Go on with it: neap resume ${underway.run}`);
    const { code, stdout } = await voyage.neap('resume', underway.run);
    expect(stdout).toMatch(/closed: Done\. .*\(exit code 0\)/);
    expect(code).toBe(0);
    expect(await berths(fleet)).toEqual(wellBut(fleet));
  });
});
