import { z } from 'zod';
import { defineStep } from '../define.ts';
import { clockReadingSchema, readClocks } from '../clocks.ts';
import { decide, input, judge } from './decide.ts';

/** Reads every clock again and judges the fuse on that: planned outage and margin must be shorter than what is left on every server. */
export const proveFuse = defineStep({
  name: 'prove-fuse',
  version: 1,
  reach: ['ssh'],
  reads: [],
  alters: [],
  input,
  pinned: z.strictObject({}),
  readings: z.strictObject({ clocks: z.array(clockReadingSchema) }),
  change: z.never(),
  idempotent: true,
  title: () => 'read every cache: is the fuse long enough?',
  nature: () => 'check',
  observe: async (server, _input, read, { nowMs, known }) => ({
    pinned: {},
    readings: { clocks: await readClocks(server, read, nowMs, known) },
  }),
  decide,
  judge,
  onUnmet: 'end',
  perform: async () => {},
  confirm: async () => ({ done: true }),
  expectedMs: () => 2_000,
  back: { nothing: true },
});
