import { z } from 'zod';
import type { Verdict } from '../../model/index.ts';
import { lineDiff } from '../../plan/index.ts';

export const input = z.strictObject({
  /** Mend what is not as declared; otherwise such a server is refused. */
  mend: z.boolean().default(true),
  /** Proven again so long after it was mended, in plan milliseconds. */
  againAfterMs: z.number().int().nonnegative().default(20_000),
});

const fileSchema = z.strictObject({ path: z.string(), sha256: z.string(), mode: z.string(), owner: z.string() });

export const configurationSchema = z.strictObject({
  expected: z.array(fileSchema),
  files: z.array(fileSchema),
  running: z.array(z.strictObject({ path: z.string(), sha256: z.string() })),
});
export type ConfigurationFacts = z.output<typeof configurationSchema>;

export const pinned = z.strictObject({
  ...configurationSchema.shape,
  /** Both contents of files that the fleet marks `show` and that differ; of others only digests leave the server. */
  shown: z.array(z.strictObject({ path: z.string(), found: z.string(), wanted: z.string() })),
  traffic: z.enum(['in', 'out']).nullable(),
});

export const change = z.strictObject({
  /** Out of the balancer until it is proven. */
  quarantine: z.boolean(),
  files: z.array(fileSchema),
  reload: z.boolean(),
});

/** Proven means: digest, mode and owner of every file, and the running process holds the same. */
export function decide(
  facts: z.output<typeof pinned>,
  { mend }: z.output<typeof input>,
): Verdict<z.output<typeof change>> {
  const found = differences(facts);
  if (found.length === 0) return { verdict: 'nothing' };
  if (!mend)
    return { verdict: 'refused', why: found.join('; '), remedy: 'Mend its configuration, or let the step mend it' };
  const files = facts.expected.filter(
    (wanted) =>
      fileDifference(
        wanted,
        facts.files.find((file) => file.path === wanted.path),
      ) !== null,
  );
  const quarantine = facts.traffic === 'in';
  const contents = facts.shown.flatMap(({ path, found: old, wanted }) => [
    `${path}, line by line:`,
    ...lineDiff(old, wanted),
  ]);
  return {
    verdict: 'change',
    change: { quarantine, files, reload: true },
    diff: [
      ...(quarantine ? ['traffic: in -> out (quarantined until proven)'] : []),
      ...found,
      ...contents,
      'reload the process',
    ],
  };
}

/** Every way in which a server is not as declared, in words. Empty: proven. */
export function differences(facts: ConfigurationFacts): string[] {
  return facts.expected.flatMap((wanted) => {
    const file = fileDifference(
      wanted,
      facts.files.find((each) => each.path === wanted.path),
    );
    if (file !== null) return [file];
    const held = facts.running.find((each) => each.path === wanted.path);
    if (held?.sha256 === wanted.sha256) return [];
    return [`${wanted.path}: the file is right, but the process holds ${held ? short(held.sha256) : 'none of it'}`];
  });
}

function fileDifference(
  wanted: z.output<typeof fileSchema>,
  found: z.output<typeof fileSchema> | undefined,
): string | null {
  if (!found || found.sha256 === 'absent') return `${wanted.path}: absent -> ${short(wanted.sha256)}`;
  const parts = [
    found.sha256 === wanted.sha256 ? null : `content ${short(found.sha256)} -> ${short(wanted.sha256)}`,
    found.mode === wanted.mode ? null : `mode ${found.mode} -> ${wanted.mode}`,
    found.owner === wanted.owner ? null : `owner ${found.owner} -> ${wanted.owner}`,
  ].filter((part) => part !== null);
  return parts.length === 0 ? null : `${wanted.path}: ${parts.join(', ')}`;
}

function short(sha256: string): string {
  return sha256.slice(0, 12);
}
