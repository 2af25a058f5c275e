import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isSameFilesystem, mirrorPlace } from '../journal/index.ts';
import { FailureError, type Finding, type Fleet } from '../model/index.ts';
import { targetAt } from './bystander.ts';
import { mirrorStore } from './mirror.ts';

/** What is wrong with a mirror, before a run relies on it. Writes nothing there. */
export async function mirrorFindings(word: string, fleet: Fleet, stateDir: string): Promise<readonly Finding[]> {
  const place = mirrorPlace(word);
  if (place === null)
    return [
      refusal(
        `journal.mirror is "${word}", which names no place`,
        'Write dir:/path, or ssh:HOST:/path; the path begins with a slash',
      ),
    ];
  return place.to === 'dir' ? directoryFindings(place.path, stateDir) : hostFindings(word, place.host, fleet);
}

async function directoryFindings(path: string, stateDir: string): Promise<readonly Finding[]> {
  const facts = await stat(path).catch(() => null);
  if (facts?.isDirectory() !== true)
    return [refusal(`the mirror ${path} is no directory`, `Mount its disk, and make it: mkdir -m 700 ${path}`)];
  if (
    !(await access(path, constants.W_OK).then(
      () => true,
      () => false,
    ))
  )
    return [refusal(`the mirror ${path} cannot be written to`, 'Give it to the user whom neap runs as')];
  if (!(await isSameFilesystem(path, stateDir))) return [];
  return [
    {
      severity: 'warning',
      code: 'mirror-same-disk',
      what: `the mirror ${path} lies on the same filesystem as the journal, and would be lost with it`,
      cures: ['Name a directory on another disk, or ssh:HOST:/path'],
    },
  ];
}

async function hostFindings(word: string, host: string, fleet: Fleet): Promise<readonly Finding[]> {
  const store = mirrorStore(word, fleet.sshConfig);
  try {
    const target = await targetAt(fleet, host);
    if (target !== null)
      return [refusal(`the mirror ${word} is ${target}, a server of this fleet`, 'Name a host that no run works on')];
    await store.runs();
    return [];
  } catch (error) {
    const why =
      error instanceof FailureError ? error.failure.what : error instanceof Error ? error.message : String(error);
    return [
      {
        severity: 'warning',
        code: 'mirror',
        what: `the mirror ${word} cannot be used now (${why}): while that is so, a reset of power and what else has no way back waits, and nothing could go on elsewhere`,
        cures: [`Bring it back; its folder has to be there`, 'Take journal.mirror out of neap.config.ts for this run'],
      },
    ];
  } finally {
    store.close();
  }
}

function refusal(what: string, cure: string): Finding {
  return { severity: 'refusal', code: 'mirror', what, cures: [cure] };
}
