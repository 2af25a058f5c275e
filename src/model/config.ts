import { z } from 'zod';

/** A project's settings, as `neap.config.ts` gives them. */
export const configSchema = z.strictObject({
  /** The fleet file that is used without --fleet, relative to the configuration. */
  fleet: z.string().optional(),
  /** Where runs and labs are kept; must be a local disk. */
  stateDir: z.string().optional(),
  /** Pages people: a local command that gets the text on its standard input. Without it pages are shown and journaled only. */
  page: z.strictObject({ command: z.array(z.string()).min(1) }).optional(),
});
export type ConfigInput = z.input<typeof configSchema>;

/** A project's settings, for `neap.config.ts`. */
export function defineConfig(config: ConfigInput): ConfigInput {
  return config;
}
