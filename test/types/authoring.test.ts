import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';

/**
 * What the compiler says to the author of a runbook. Each file in `cases` holds one mistake and must give one error,
 * at the word where the mistake is, in words that name it; `good.ts` is the same without a mistake.
 */
interface Mistake {
  readonly file: string;
  readonly code: string;
  /** The word, or else the sign, that the error points at. */
  readonly at: string;
  /** What stands left of it on that line. */
  readonly after: string;
  readonly says: RegExp;
}

const mistakes: readonly Mistake[] = [
  {
    file: 'no-way-back.ts', // neither undo nor irreversible
    code: 'TS2741',
    at: '{',
    after: 'export const touch = defineStep(',
    says: /^Property 'back' is missing in type /,
  },
  {
    file: 'empty-way-back.ts',
    code: 'TS2322',
    at: 'back',
    after: '  ',
    says: /^Type '\{\}' is not assignable to type 'Back</,
  },
  {
    file: 'two-ways-back.ts',
    code: 'TS2322',
    at: 'back',
    after: '  ',
    says: /^Type '\{ undo: .*; irreversible: string; \}' is not assignable to type 'Back</,
  },
  {
    file: 'wrong-change.ts', // what decide gives is not what the change's schema says
    code: 'TS2322',
    at: 'pinned',
    after: '    ',
    says: /Types of property 'change' are incompatible\.(.|\n)*Type 'string' is not assignable to type 'boolean'\.$/,
  },
  {
    file: 'power-without-bmc.ts',
    code: 'TS2345',
    at: 'api',
    after: '  steps: ({ api }) => [hardReset(',
    says: /^Argument of type 'Targets<"http" \| "ssh">' is not assignable to parameter of type 'Targets<"bmc">'\./,
  },
  {
    file: 'unknown-input.ts',
    code: 'TS2339',
    at: 'outage',
    after: '  steps: ({ api }, { ',
    says: /^Property 'outage' does not exist on type '\{ outageMs: number; \}'\.$/,
  },
  {
    file: 'wrong-type.ts',
    code: 'TS2322',
    at: 'on',
    after: '  steps: ({ api }, { outageMs }) => [offlineMode(api, { ',
    says: /^Type 'number' is not assignable to type 'boolean'\.$/,
  },
  {
    file: 'no-percentage.ts',
    code: 'TS2322',
    at: 'atMost',
    after: '  steps: ({ api }) => [inWaves({ canary: 1, ',
    says: /^Type '"ten"' is not assignable to type 'Share'\.$/,
  },
  {
    file: 'unknown-step-input.ts',
    code: 'TS2353',
    at: 'onn',
    after: '  steps: ({ api }, { outageMs }) => [offlineMode(api, { on: outageMs > 0, ',
    says: /'onn' does not exist in type '\{ on: boolean; \}'\.$/,
  },
  {
    file: 'wrong-guard.ts', // what follows a trip is one of three things
    code: 'TS2322',
    at: 'onTrip',
    after: "    guarded(command({ title: 'Load', run: ['check-load'], everyMs: 5_000, forMs: 0, ",
    says: /^Type '"halt"' is not assignable to type /,
  },
  {
    file: 'unknown-group.ts',
    code: 'TS2339',
    at: 'apis',
    after: '  steps: ({ ',
    says: /^Property 'apis' does not exist on type 'GroupsOf</,
  },
];

interface Complaint {
  readonly file: string;
  readonly code: string;
  readonly at: string;
  readonly after: string;
  readonly message: string;
}

const here = import.meta.dirname;
let complaints: readonly Complaint[];

beforeAll(() => {
  const compiler = join(here, '../../node_modules/typescript/bin/tsc');
  const run = spawnSync(process.execPath, [compiler, '-p', here, '--pretty', 'false'], { encoding: 'utf8', cwd: here });
  if (run.error !== undefined) throw run.error;
  complaints = read(run.stdout);
});

/** One complaint a line, `cases/x.ts(3,33): error TS2741: ...`; what is indented belongs to the line above it. */
function read(output: string): Complaint[] {
  return output
    .trim()
    .split(/\n(?! )/)
    .filter((line) => line !== '')
    .map((line) => {
      const [, path, row, column, code, message] = /^(.+?)\((\d+),(\d+)\): error (TS\d+): ([^]+)$/.exec(line) ?? [];
      if (path === undefined || code === undefined || message === undefined) throw new Error(`cannot read: ${line}`);
      const text = readFileSync(`${here}/${path}`, 'utf8').split('\n')[Number(row) - 1] ?? '';
      const rest = text.slice(Number(column) - 1);
      return {
        file: path.replace(/^cases\//, ''),
        code,
        at: /^(?:\w+|.)/.exec(rest)?.[0] ?? '',
        after: text.slice(0, Number(column) - 1),
        message,
      };
    });
}

describe('the compiler', () => {
  test.each(mistakes)('says one clear thing about $file', ({ file, code, at, after, says }) => {
    const about = complaints.filter((complaint) => complaint.file === file);
    expect(about).toHaveLength(1);
    expect(about[0]).toMatchObject({ code, at, after });
    expect(about[0]?.message).toMatch(says);
  });

  test('accepts what has no mistake, and every case is named here', () => {
    expect(complaints.filter((complaint) => complaint.file === 'good.ts' || complaint.file.startsWith('..'))).toEqual(
      [],
    );
    expect(readdirSync(`${here}/cases`).toSorted()).toEqual(
      ['good.ts', ...mistakes.map(({ file }) => file)].toSorted(),
    );
  });
});
