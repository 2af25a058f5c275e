import { z } from 'zod';
import { FailureError, type Server } from '../../model/index.ts';
import type { ExpectedFile, StepContext } from '../../ports/index.ts';
import { defineStep } from '../define.ts';
import { readTraffic } from '../traffic/read.ts';
import { change, decide, differences, input, pinned } from './decide.ts';
import { readConfiguration } from './read.ts';

/**
 * Proves that a server has the declared configuration and that its process holds it. One that has not is taken out
 * of the balancer, mended, reloaded, and proven again after a while; `giveTraffic` brings it back.
 */
export const proveConfiguration = defineStep({
  name: 'prove-configuration',
  version: 1,
  reach: ['ssh'],
  reads: ['config', 'power'],
  alters: ['config', 'traffic'],
  input,
  pinned,
  readings: z.strictObject({}),
  change,
  idempotent: true,
  title: ({ mend }) => (mend ? 'prove configuration, mend what is not as declared' : 'prove configuration'),
  nature: () => 'restore',
  async observe(server, _input, read, context) {
    const facts = await readConfiguration(server, read, context);
    return { pinned: { ...facts, traffic: await readTraffic(server, read) }, readings: {} };
  },
  decide,
  // What is put there is what the fleet declares, whichever of its files turn out to be wrong.
  bounds: () => true,
  async perform(server, wanted, hands, context) {
    if (wanted.quarantine) await hands.call('traffic-out');
    for (const file of wanted.files) {
      const expected = expectedFile(server, file.path, context);
      await hands.putFile({ ...file, text: expected, backup: backupOf(file.path, context) });
    }
    if (wanted.reload) await hands.call('reload');
  },
  async confirm(server, _change, read, context) {
    const found = differences(await readConfiguration(server, read, context));
    return found[0] === undefined ? { done: true } : { done: false, why: found[0] };
  },
  expectedMs: () => 5_000,
  soakMs: ({ againAfterMs }) => againAfterMs,
  back: {
    unless: ({ files }) =>
      files.length === 0 ? 'only its process was reloaded, and what that held before is gone' : null,
    async undo(_server, wanted, hands, context) {
      for (const file of wanted.files.toReversed()) {
        await hands.restoreFile({ path: file.path, backup: backupOf(file.path, context) });
      }
      if (wanted.reload) await hands.call('reload');
      if (wanted.quarantine) await hands.call('traffic-in');
    },
  },
});

function backupOf(path: string, { keep }: StepContext): string {
  const slash = path.lastIndexOf('/');
  return `${path.slice(0, slash)}/.${path.slice(slash + 1)}.${keep}`;
}

function expectedFile(server: Server, path: string, { expected }: StepContext): string {
  const file: ExpectedFile | undefined = expected.find((each) => each.path === path);
  if (file?.text != null) return file.text;
  throw new FailureError({
    kind: 'condition',
    what: `${path} is not as it was captured, and a captured file has no content to mend it with`,
    where: server.name,
    state: 'The file was left as it is',
    remedy: 'Mend it by hand, or declare its text in the fleet',
  });
}
