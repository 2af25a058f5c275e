import { z } from 'zod';
import { planSchema } from '../model/index.ts';

/** What an engine and a view say to each other over the socket: one JSON object a line. */

export const requestSchema = z.discriminatedUnion('ask', [
  z.strictObject({
    ask: z.literal('answer'),
    id: z.number(),
    gate: z.string(),
    answer: z.string(),
    by: z.string(),
    givenAtMs: z.number(),
    reason: z.string().optional(),
  }),
  z.strictObject({ ask: z.literal('abort'), id: z.number(), by: z.string(), reason: z.string() }),
  z.strictObject({ ask: z.literal('halt'), id: z.number(), by: z.string() }),
  z.strictObject({ ask: z.literal('unhalt'), id: z.number(), by: z.string() }),
  z.strictObject({ ask: z.literal('detach'), id: z.number(), by: z.string() }),
]);
export type Request = z.output<typeof requestSchema>;

const rowSchema = z.object({
  seq: z.number(),
  atMs: z.number(),
  epoch: z.number(),
  event: z.looseObject({ type: z.string() }),
  prev: z.string(),
  hash: z.string(),
});

export const messageSchema = z.discriminatedUnion('say', [
  /** The first message: the plan, and the lab's clock if there is one, so that a view can tell plan time. */
  z.object({
    say: z.literal('hello'),
    run: z.string(),
    plan: planSchema,
    clock: z.object({ anchorRealMs: z.number(), anchorPlanMs: z.number(), rate: z.number() }).nullable(),
  }),
  /** Journal rows, from the first one on. */
  z.object({ say: z.literal('rows'), rows: z.array(rowSchema) }),
  z.object({ say: z.literal('done'), id: z.number(), refused: z.string().nullable() }),
]);
export type Message = z.output<typeof messageSchema>;
