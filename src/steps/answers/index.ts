import { z } from 'zod';
import { defineStep } from '../define.ts';
import { checkNeed } from '../needs.ts';

/** Proof that a dependency answers from every one of these servers. While it does not, the run holds and asks again. */
export const dependencyAnswers = defineStep({
  name: 'answers',
  version: 1,
  reach: ['ssh'],
  reads: ['power', 'path'],
  alters: [],
  input: z.strictObject({ from: z.string() }),
  pinned: z.strictObject({}),
  readings: z.strictObject({ why: z.string().nullable() }),
  change: z.never(),
  idempotent: true,
  title: ({ from }) => `prove that the ${from} answers from every server`,
  nature: () => 'check',
  async observe(server, { from }, read, context) {
    const answer = await checkNeed({ need: 'answers', dependency: from }, server, read, context);
    return { pinned: {}, readings: { why: answer.holds ? null : answer.why } };
  },
  decide: () => ({ verdict: 'nothing' }),
  judge: ({ why }) => (why === null ? { holds: true } : { holds: false, why }),
  onUnmet: 'hold',
  perform: async () => {},
  confirm: async () => ({ done: true }),
  expectedMs: () => 2_000,
  back: { nothing: true },
});
