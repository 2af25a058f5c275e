import { loadConfig, pauseRealMs } from '../../engine/index.ts';
import { labDown, labList, labUp, scenarioSchema, tellLab, type LabCommand, type LabFile } from '../../lab/index.ts';
import { usage } from '../usage.ts';

export interface UpOptions {
  readonly servers: string;
  readonly timeLapse: string;
  readonly scenario: string;
  readonly ttl: string;
  readonly ttlDrawn: string;
  readonly name?: string;
  readonly seed?: string;
  readonly detach?: boolean;
}

/** `neap lab up`: stays until Ctrl-C or `neap lab down`, unless detached. */
export async function up(options: UpOptions): Promise<number> {
  const { stateDir } = await loadConfig(process.cwd());
  const scenario = scenarioSchema.safeParse(options.scenario);
  if (!scenario.success)
    throw usage(`there is no scenario ${options.scenario}`, `One of: ${scenarioSchema.options.join(', ')}`);
  const lab = await labUp({
    stateDir,
    servers: numberOf('--servers', options.servers),
    timeLapse: numberOf('--time-lapse', options.timeLapse),
    scenario: scenario.data,
    ttl: ttlOf(options),
    ...(options.name === undefined ? {} : { name: options.name }),
    ...(options.seed === undefined ? {} : { seed: numberOf('--seed', options.seed) }),
  });
  process.stdout.write(
    `Lab ${lab.name}: ${options.servers} servers, ${scenario.data}, ${options.timeLapse} lab seconds a second\nFleet file: ${lab.fleetFile}\n`,
  );
  if (options.detach) return 0;
  process.stdout.write('Ctrl-C or `neap lab down` ends it.\n');
  const stop = new Promise<void>((resolve) => process.once('SIGINT', resolve).once('SIGTERM', resolve));
  await Promise.race([stop, gone(stateDir, lab)]);
  await labDown({ stateDir, name: lab.name });
  return 0;
}

/** `neap lab down`. */
export async function down(name: string | undefined, { all }: { readonly all?: boolean }): Promise<number> {
  const { stateDir } = await loadConfig(process.cwd());
  const which =
    name === undefined && !all
      ? { name: (await chosen(stateDir, undefined)).name }
      : name === undefined
        ? { all: true as const }
        : { name };
  const ended = await labDown({ stateDir, ...which });
  process.stdout.write(ended.length === 0 ? 'No lab was running.\n' : `Ended: ${ended.join(', ')}\n`);
  return 0;
}

/** `neap lab tell`: the weather of a lab. */
export async function tell(
  what: string,
  rest: readonly string[],
  { name }: { readonly name?: string },
): Promise<number> {
  const { stateDir } = await loadConfig(process.cwd());
  const lab = await chosen(stateDir, name);
  const answer = await tellLab({ stateDir, name: lab.name }, commandOf(what, rest));
  if (answer.record) for (const entry of answer.record) process.stdout.write(`${JSON.stringify(entry)}\n`);
  else if (answer.status) process.stdout.write(`${JSON.stringify(answer.status, null, 2)}\n`);
  else process.stdout.write(`Lab ${lab.name}: ${what} ${rest.join(' ')}\n`);
  return 0;
}

function commandOf(what: string, [word = '']: readonly string[]): LabCommand {
  if (what === 'database' && (word === 'away' || word === 'back' || word === 'refuse' || word === 'hang'))
    return { tell: 'database', state: word };
  if ((what === 'hang' || what === 'half-apply') && word !== '') return { tell: what, server: word };
  if (what === 'page' && (word === 'on' || word === 'off')) return { tell: 'page', on: word === 'on' };
  if (what === 'connections' && /^\d+$/.test(word)) return { tell: 'connections', others: Number(word) };
  if (what === 'slow' && /^\d+$/.test(word)) return { tell: 'slow', byMs: Number(word) };
  const skip = what === 'skip' ? /^(\d+)(h|m|s)$/.exec(word) : null;
  if (skip)
    return { tell: 'skip', forMs: Number(skip[1]) * { h: 3_600_000, m: 60_000, s: 1_000 }[skip[2] as 'h' | 'm' | 's'] };
  if (what === 'status') return { tell: 'status' };
  if (what === 'record') return { tell: 'record' };
  throw usage(
    `a lab cannot be told "${[what, word].join(' ').trim()}"`,
    'One of: database away|back|refuse|hang, hang SERVER, half-apply SERVER, page on|off, slow MS, connections N, skip 72h, status, record',
  );
}

async function chosen(stateDir: string, name: string | undefined): Promise<LabFile> {
  const labs = await labList(stateDir);
  const found = name === undefined ? (labs.length === 1 ? labs[0] : undefined) : labs.find((lab) => lab.name === name);
  if (found) return found;
  throw usage(
    labs.length === 0
      ? 'no lab is running'
      : name === undefined
        ? `several labs run: ${labs.map((lab) => lab.name).join(', ')}`
        : `no lab ${name} is running`,
    labs.length === 0 ? 'Start one: neap lab up --detach' : 'Name one of them',
  );
}

async function gone(stateDir: string, lab: LabFile): Promise<void> {
  while ((await labList(stateDir)).some((each) => each.name === lab.name)) await pauseRealMs(1_000);
}

function numberOf(option: string, word: string): number {
  const value = Number(word);
  if (word.trim() === '' || !Number.isFinite(value))
    throw usage(`${option} ${word} is not a number`, `Write: ${option} 12`);
  return value;
}

function ttlOf({ ttl, ttlDrawn }: UpOptions): { minMs: number; maxMs: number; drawn: 'per-server' | 'per-refresh' } {
  const [min, max = min] = ttl.split('-').map((word) => numberOf('--ttl', word) * 1000);
  if (min === undefined || max === undefined || min > max)
    throw usage(`--ttl ${ttl} is no range`, 'Write: --ttl 180-240');
  if (ttlDrawn !== 'per-server' && ttlDrawn !== 'per-refresh')
    throw usage(`--ttl-drawn ${ttlDrawn} is unknown`, 'per-server or per-refresh');
  return { minMs: min, maxMs: max, drawn: ttlDrawn };
}
