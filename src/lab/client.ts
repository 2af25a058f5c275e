import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { FailureError } from '../model/index.ts';
import { extension } from '../launch/index.ts';
import { labFileSchema, labReportSchema, type LabFile } from './lab-file.ts';
import { labOptionsSchema, labNameSchema, type LabOptionsInput } from './options.ts';
import type { LabAnswer, LabCommand } from './tell.ts';

/** What `neap lab up` asks for. */
export interface LabWish extends Partial<Omit<LabOptionsInput, 'dir' | 'servers'>> {
  readonly servers: number;
  /** neap's own folder for state: the lab lives in `<stateDir>/labs/<name>`. */
  readonly stateDir: string;
}

/** A new lab's processes and first answers may take this long, in real milliseconds: 1,000 servers on a slow machine. */
const START_MS = 90_000;
const TELL_MS = 10_000;
/** How long a lab that was told to end may take before it is killed, in real milliseconds. */
const END_MS = 5_000;

/**
 * Starts a lab in a process of its own, which outlives this one, and resolves when every server answers. Rejects with
 * a FailureError that says why it did not start; then nothing of it is left.
 */
export async function labUp(wish: LabWish): Promise<LabFile> {
  const { stateDir, ...rest } = wish;
  const name = rest.name ?? `lab-${randomBytes(2).toString('hex')}`;
  const dir = folder(stateDir, name);
  const parsed = labOptionsSchema.safeParse({
    timeLapse: 1,
    scenario: 'feb-2021',
    seed: randomInt(2 ** 31),
    ...rest,
    name,
    dir,
  });
  if (!parsed.success) {
    throw new FailureError({
      kind: 'condition',
      what: `the lab cannot be like that: ${z.prettifyError(parsed.error)}`,
      where: name,
      state: 'Nothing was started',
      remedy: 'See neap lab up --help',
    });
  }
  const options = parsed.data;
  if (await isUp(stateDir, name)) {
    throw new FailureError({
      kind: 'condition',
      what: 'a lab of this name is running',
      where: name,
      state: 'It was left as it is',
      remedy: `Take it down first: neap lab down ${name}`,
    });
  }
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const optionsFile = join(dir, 'options.json');
  writeFileSync(optionsFile, `${JSON.stringify(options, null, 2)}\n`, { mode: 0o600 });
  const log = openSync(join(dir, 'lab.log'), 'a', 0o600);
  const child = spawn(process.execPath, [fileURLToPath(new URL(`./main${extension}`, import.meta.url)), optionsFile], {
    detached: true,
    stdio: ['ignore', log, log, 'ipc'],
    cwd: dir,
  });
  closeSync(log);
  const why = await started(child);
  if (why !== null) {
    child.kill('SIGKILL');
    const said = readFileSync(join(dir, 'lab.log'), 'utf8').trim().slice(-500);
    rmSync(dir, { recursive: true, force: true });
    throw new FailureError({
      kind: 'internal',
      what: `the lab did not start: ${why}${said === '' ? '' : ` (${said})`}`,
      where: name,
      state: 'Nothing of it is left',
      remedy: 'Mend that and run neap lab up again',
    });
  }
  child.unref();
  return labFileSchema.parse(JSON.parse(readFileSync(join(dir, 'lab.json'), 'utf8')));
}

/** Ends a lab, or all of them. Resolves, when they are gone, with their names. Their folders stay: the record is in there. */
export async function labDown(
  which: { readonly stateDir: string } & ({ readonly name: string } | { readonly all: true }),
): Promise<readonly string[]> {
  const names = 'all' in which ? labNames(which.stateDir) : [which.name];
  const ended: string[] = [];
  for (const name of names) {
    const lab = readLab(which.stateDir, name);
    if (lab === null) continue;
    await end(which.stateDir, lab);
    ended.push(name);
  }
  return ended;
}

/** The labs that run now. */
export async function labList(stateDir: string): Promise<readonly LabFile[]> {
  const running: LabFile[] = [];
  for (const name of labNames(stateDir)) {
    const lab = readLab(stateDir, name);
    if (lab !== null && (await isUp(stateDir, name))) running.push(lab);
  }
  return running;
}

/** Tells a running lab something. Rejects with a FailureError when it does not run, or refuses. */
export async function tellLab(
  lab: { readonly stateDir: string; readonly name: string },
  command: LabCommand,
): Promise<Extract<LabAnswer, { ok: true }>> {
  const file = readLab(lab.stateDir, lab.name);
  if (file === null) {
    throw new FailureError({
      kind: 'unreachable',
      what: 'no such lab runs',
      where: lab.name,
      state: 'Nothing was changed',
      remedy: 'Start one with neap lab up',
    });
  }
  const token = readFileSync(join(folder(lab.stateDir, lab.name), 'control-token'), 'utf8');
  const answer = await post(file, token, command);
  if (answer.ok) return answer;
  throw new FailureError({
    kind: 'command',
    what: `the lab refused: ${answer.error}`,
    where: lab.name,
    state: 'Nothing was changed',
    remedy: 'Ask for something that the lab knows',
  });
}

/** The lab's whole record of what it was asked. */
export async function labRecord(lab: {
  readonly stateDir: string;
  readonly name: string;
}): Promise<NonNullable<Extract<LabAnswer, { ok: true }>['record']>> {
  const entries = [];
  for (;;) {
    const { record = [] } = await tellLab(lab, { tell: 'record', from: entries.length });
    if (record.length === 0) return entries;
    entries.push(...record);
  }
}

function folder(stateDir: string, name: string): string {
  return join(stateDir, 'labs', labNameSchema.parse(name));
}

function labNames(stateDir: string): readonly string[] {
  try {
    return readdirSync(join(stateDir, 'labs')).filter((name) => labNameSchema.safeParse(name).success);
  } catch {
    return [];
  }
}

function readLab(stateDir: string, name: string): LabFile | null {
  try {
    return labFileSchema.parse(JSON.parse(readFileSync(join(folder(stateDir, name), 'lab.json'), 'utf8')));
  } catch {
    return null;
  }
}

/** Null when the lab says that it is ready; otherwise why not. */
function started(child: ChildProcess): Promise<string | null> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(`no word from it in ${START_MS / 1_000} s`), START_MS);
    const settle = (why: string | null): void => {
      clearTimeout(timer);
      resolve(why);
    };
    child.once('message', (message) => {
      const report = labReportSchema.safeParse(message);
      settle(
        report.success && report.data.ready
          ? null
          : report.success && !report.data.ready
            ? report.data.why
            : 'it said something unknown',
      );
    });
    child.once('error', (error) => settle(error.message));
    child.once('exit', (code, signal) => settle(`its process ended (${signal ?? code})`));
  });
}

async function isUp(stateDir: string, name: string): Promise<boolean> {
  if (readLab(stateDir, name) === null) return false;
  try {
    await tellLab({ stateDir, name }, { tell: 'status' });
    return true;
  } catch {
    return false;
  }
}

/** Only a lab that answers with its own token is told to end by its process id: ids are used again. */
async function end(stateDir: string, lab: LabFile): Promise<void> {
  const answered = await tellLab({ stateDir, name: lab.name }, { tell: 'down' }).then(
    () => true,
    () => false,
  );
  const untilMs = Date.now() + END_MS;
  while (answered && isAlive(lab.pid) && Date.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 20));
  if (answered && isAlive(lab.pid)) process.kill(lab.pid, 'SIGKILL');
  rmSync(join(folder(stateDir, lab.name), 'lab.json'), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

async function post(lab: LabFile, token: string, command: LabCommand): Promise<LabAnswer> {
  try {
    const response = await fetch(lab.controlUrl, {
      method: 'POST',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json', connection: 'close' },
      body: JSON.stringify(command),
      signal: AbortSignal.timeout(TELL_MS),
    });
    return (await response.json()) as LabAnswer;
  } catch (error) {
    throw new FailureError(
      {
        kind: 'unreachable',
        what: 'the lab does not answer',
        where: lab.name,
        state: 'Nothing is known of it',
        remedy: `Look into ${lab.fleetFile.replace(/fleet\.ts$/, 'lab.log')}, and start it anew with neap lab up`,
      },
      { cause: error },
    );
  }
}
