import { z } from 'zod';
import { secretRefSchema } from './fleet.ts';

/** A project's settings, as `neap.config.ts` gives them. */
export const configSchema = z.strictObject({
  /** The fleet file that is used without --fleet, relative to the configuration. */
  fleet: z.string().optional(),
  /** Where runs and labs are kept; must be a local disk. */
  stateDir: z.string().optional(),
  /** Pages people: a local command that gets the text on its standard input. Without it pages are shown and journaled only. */
  page: z.strictObject({ command: z.array(z.string()).min(1) }).optional(),
  /**
   * Where it is kept which run has which servers: `local` guards this machine only; `ssh:HOST` (never a target) and a
   * PostgreSQL database guard against all who use the same one.
   */
  lease: z
    .union([
      z.literal('local'),
      z.templateLiteral(['ssh:', z.string().min(1)]),
      z.strictObject({ postgres: secretRefSchema }),
    ])
    .default('local'),
  journal: z
    .strictObject({
      /** Each commit is copied there: `dir:/path` on another disk, `ssh:HOST:/path` on another machine. */
      mirror: z
        .union([z.templateLiteral(['dir:', z.string().min(1)]), z.templateLiteral(['ssh:', z.string().min(1)])])
        .optional(),
      /** Where the hash of the journal's head is told, so that a cut or rewritten journal is found out. */
      anchor: z
        .discriminatedUnion('to', [
          /** By logger(1); `socket`: where the daemon listens, if not at /dev/log. */
          z.strictObject({ to: z.literal('syslog'), socket: z.string().min(1).optional() }),
          /** An address, or a reference to it where it holds a token. */
          z.strictObject({
            to: z.literal('webhook'),
            url: z.union([z.url({ protocol: /^https?$/ }), secretRefSchema]),
          }),
          z.strictObject({ to: z.literal('command'), command: z.array(z.string()).min(1) }),
        ])
        .optional(),
    })
    .default({}),
  /** Whether every run must name a ticket (`--ticket`). */
  ticket: z.enum(['required', 'optional']).default('optional'),
  /** The time zone in which times are said and shown when --zone does not name one: `Europe/Amsterdam`. UTC without it; never this machine's own. */
  zone: z.string().optional(),
  /** Calendars (iCalendar files or https addresses) in whose events nothing is begun. */
  freezes: z.array(z.strictObject({ calendar: z.string().min(1), zone: z.string().optional() })).default([]),
});
export type ConfigInput = z.input<typeof configSchema>;
export type ConfigData = z.output<typeof configSchema>;

/** A project's settings, for `neap.config.ts`. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
