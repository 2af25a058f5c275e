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
  /** What was answered before its gate was asked does not hold any more. */
  z.strictObject({ ask: z.literal('take-back'), id: z.number(), gate: z.string(), by: z.string() }),
  z.strictObject({
    ask: z.literal('arm'),
    id: z.number(),
    /** By its id or title. */
    contingency: z.string(),
    /** Null: all servers of its group that are in the line. */
    only: z.array(z.string()).nullable(),
    by: z.string(),
    reason: z.string().trim().min(1),
  }),
  z.strictObject({
    ask: z.literal('abort'),
    id: z.number(),
    by: z.string(),
    reason: z.string(),
    /** Only what came after this step is taken back. */
    to: z.string().optional(),
  }),
  z.strictObject({
    ask: z.literal('override'),
    id: z.number(),
    class: z.enum(['freeze', 'fuse', 'guard', 'mirror', 'window']),
    /** Which freeze or guard, where there is a choice. */
    about: z.string().nullable(),
    /** For the window: until when it shall be open, in absolute plan time. */
    untilMs: z.number().nullable(),
    by: z.string(),
    reason: z.string().trim().min(1),
  }),
  z.strictObject({ ask: z.literal('halt'), id: z.number(), by: z.string() }),
  z.strictObject({ ask: z.literal('unhalt'), id: z.number(), by: z.string() }),
  z.strictObject({ ask: z.literal('detach'), id: z.number(), by: z.string() }),
]);
export type Request = z.output<typeof requestSchema>;

/** A person's word that a run shall go home, for an engine that is started to take it there. */
export type HomeWord = Pick<Extract<Request, { ask: 'abort' }>, 'by' | 'reason' | 'to'>;

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
  /** Journal rows, from the first one on. `more`: there are further ones already. */
  z.object({ say: z.literal('rows'), rows: z.array(rowSchema), more: z.boolean() }),
  z.object({ say: z.literal('done'), id: z.number(), refused: z.string().nullable() }),
  /** The last message of an engine that stops before the run's end, and why. */
  z.object({ say: z.literal('stopped'), why: z.string() }),
]);
export type Message = z.output<typeof messageSchema>;
