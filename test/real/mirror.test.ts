import {
  chownSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, type TestContext } from 'vitest';
import { LOGIN } from './disk.ts';
import { slowCommand } from './faults.ts';
import type { RealFleet } from './fleet.ts';
import { cannotRunHere } from './missing-needs.ts';
import {
  CANARY_THERE_AND_BACK,
  berths,
  hasReceived,
  startTwelve,
  voyageOn,
  wellBut,
  type Underway,
  type Voyage,
} from './voyage.ts';

/** The machine that neap runs on is killed in the middle of a wave and its disk is gone: another goes on from the mirror. */

const MIRROR = 'ssh:jump:/srv/mirror';

/** A machine to run neap on: a folder with a configuration, a home and a state folder of its own. */
function machine(fleet: RealFleet): Voyage & { readonly cwd: string } {
  const cwd = mkdtempSync(join(fleet.dir, 'machine-'));
  writeFileSync(join(cwd, 'neap.config.ts'), `export default { journal: { mirror: '${MIRROR}' } };\n`);
  return { ...voyageOn(fleet, { cwd, home: cwd }), cwd };
}

interface Harbour {
  readonly fleet: RealFleet;
  /** The mirror's folder, as this process sees it. */
  readonly mirror: string;
  readonly lost: Voyage;
}

async function harbour(context: TestContext): Promise<Harbour> {
  const fleet = await startTwelve(context, { jump: true, unattendedApprover: 'rehearsal' });
  if (fleet.jump === null) throw new Error('the fleet has no jump host');
  const mirror = join(fleet.jump.disk, 'mirror');
  mkdirSync(mirror, { mode: 0o700 });
  chownSync(mirror, LOGIN.uid, LOGIN.uid);
  slowCommand(fleet.server('api-06').machine, 'offline on', 2);
  return { fleet, mirror, lost: machine(fleet) };
}

/** Killed while a server is in the middle of a command; nothing of it is left but what the mirror has. */
async function lose({ fleet, lost }: Harbour, underway: Underway): Promise<void> {
  await hasReceived(fleet, 'api-06', 'offline on');
  process.kill(underway.enginePid(), 'SIGKILL');
  await underway.ended;
  rmSync(lost.stateDir, { recursive: true });
}

async function goOn({ fleet }: Harbour, run: string): Promise<Awaited<ReturnType<Voyage['neap']>>> {
  const other = machine(fleet);
  const fleetFile = join(other.cwd, 'the-same.fleet.ts');
  copyFileSync(fleet.fleetFile, fleetFile);
  return other.neap('resume', run, '--from', MIRROR, '--fleet', fleetFile);
}

describe.skipIf(cannotRunHere())('the bastion is lost in mid-wave, disk and all', () => {
  test('another machine goes on from the mirror: the fleet comes home, each effect once', async (context) => {
    const all = await harbour(context);
    const preview = await all.lost.plan();
    expect(preview.stdout.replaceAll(/\s+/g, ' ')).toContain(`Mirror: ${MIRROR} gets every event`);
    const underway = await all.lost.run('--unattended');
    await lose(all, underway);
    expect(readdirSync(join(all.mirror, underway.run)).toSorted()).toEqual(['order.json', 'plan.json', 'rows.ndjson']);
    const { code, stdout } = await goOn(all, underway.run);
    expect(stdout).toMatch(/was built from ssh:jump:\/srv\/mirror: \d+ events, their chain sound/);
    expect(stdout).toMatch(/closed: Done\. .*\(exit code 0\)/);
    expect(code).toBe(0);
    expect(await berths(all.fleet)).toEqual(wellBut(all.fleet));
  });

  test('what the mirror never got is found by looking: no server is taken for one that somebody else changed', async (context) => {
    const all = await harbour(context);
    await all.lost.plan();
    const underway = await all.lost.run('--unattended');
    // The canary soaks; everything after that happens while the mirror is away.
    await underway.says(/step 5 probe/);
    renameSync(all.mirror, `${all.mirror}-away`);
    await underway.says(/the journal's mirror is behind/);
    await lose(all, underway);
    renameSync(`${all.mirror}-away`, all.mirror);
    const { code, stdout } = await goOn(all, underway.run);
    expect(stdout).toMatch(/closed: Done\. .*\(exit code 0\)/);
    expect(code).toBe(0);
    // A soak whose end nobody wrote down proves nothing: the canary soaks once more, on a path that is cut once more.
    const found = await berths(all.fleet);
    // Where the copy knew that the path had been cut, it is cut anew on a fresh cache.
    const refreshed = found['api-01']?.changes['cache refresh'] ?? 0;
    expect([2, 3]).toContain(refreshed);
    const again = { 'cache refresh': refreshed, 'path cut database 10': 2, 'path restore database': 2 };
    expect(found).toEqual(
      wellBut(all.fleet, {
        'api-01': { ...CANARY_THERE_AND_BACK, changes: { ...CANARY_THERE_AND_BACK.changes, ...again } },
      }),
    );
  });
});
