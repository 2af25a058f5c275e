import { z } from 'zod';

/** `lab.json` in a lab's folder: there while the lab runs. */
export const labFileSchema = z.strictObject({
  name: z.string(),
  pid: z.number().int().positive(),
  fleetFile: z.string(),
  controlUrl: z.url(),
  servers: z.number().int(),
  scenario: z.string(),
  timeLapse: z.number(),
});
export type LabFile = z.output<typeof labFileSchema>;

/** What a lab's process says to the one that started it. */
export const labReportSchema = z.discriminatedUnion('ready', [
  z.object({ ready: z.literal(true) }),
  z.object({ ready: z.literal(false), why: z.string() }),
]);
export type LabReport = z.output<typeof labReportSchema>;
