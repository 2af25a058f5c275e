import { z } from 'zod';

/** Where in an answer a time lies, and in which unit: a dotted path into JSON, or null for the whole answer. */
const timeAtSchema = z.strictObject({
  at: z.string().min(1).nullable().default(null),
  unit: z.enum(['ms', 's', 'min']),
});
export type TimeAt = z.output<typeof timeAtSchema>;

/**
 * What a clock's reading answers. One of `age`, `left`, `setAt` and `expiresAt`; the others refine it. Without any of
 * this the answer is JSON `{"ageMs": n, "ttlMs": n}`.
 */
export const clockAnswerSchema = z
  .strictObject({
    /** How long ago the value was fetched. */
    age: timeAtSchema.optional(),
    /** How long it still lives. */
    left: timeAtSchema.optional(),
    /** Instants since 1970. `now`: the same clock's own idea of the time, so that no two clocks are compared. */
    setAt: timeAtSchema.optional(),
    expiresAt: timeAtSchema.optional(),
    now: timeAtSchema.optional(),
    /** How long it lives in all. Without it the declared range's lowest counts, where its age is what is told. */
    ttl: timeAtSchema.optional(),
    /** Answers that mean that there is no such value, which is as good as expired; and that it never expires. */
    absent: z.array(z.number()).default([]),
    never: z.array(z.number()).default([]),
  })
  .refine(
    ({ age, left, setAt, expiresAt }) =>
      [age, left, setAt, expiresAt].filter((each) => each !== undefined).length === 1,
    'a reading gives one of age, left, setAt and expiresAt',
  );
export type ClockAnswer = z.output<typeof clockAnswerSchema>;

/** Where a reading comes from, in a few words for people: `redis cache-1:6379 config`. */
export const sourceSchema = z.string().min(1).max(120);
