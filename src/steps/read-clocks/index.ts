import { z } from 'zod';
import { clockReadingSchema, readClocks as read } from '../clocks.ts';
import { defineStep } from '../define.ts';

/** Reads every clock of a server, so that slots behind it go to the earliest expiry first. Changes nothing. */
export const readClocks = defineStep({
  name: 'read-clocks',
  version: 1,
  reach: ['ssh'],
  reads: [],
  alters: [],
  input: z.strictObject({}),
  pinned: z.strictObject({ clocks: z.array(z.string()) }),
  readings: z.strictObject({ clocks: z.array(clockReadingSchema) }),
  change: z.never(),
  idempotent: true,
  title: () => 'read clocks',
  nature: () => 'check',
  observe: async (server, _input, reader, { nowMs, known }) => ({
    pinned: { clocks: server.service.clocks.map((clock) => clock.name) },
    readings: { clocks: await read(server, reader, nowMs, known) },
  }),
  decide: () => ({ verdict: 'nothing' }),
  perform: async () => {},
  confirm: async () => ({ done: true }),
  expectedMs: () => 1_000,
  back: { nothing: true },
});
