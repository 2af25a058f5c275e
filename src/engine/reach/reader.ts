import { createCounter } from '../../guards/index.ts';
import type { ClockRead } from '../../model/index.ts';
import type { FileFacts, HttpAnswer, PowerFacts, ReadName, Reader, Vitals } from '../../ports/index.ts';
import { httpGet, sanitise } from '../../transport/index.ts';
import { wallClockMs } from '../clock.ts';
import { readCall } from './calls.ts';
import { pickField } from './field.ts';
import { readFiles } from './files.ts';
import type { Lane } from './lane.ts';
import { failedOn, quoted } from './lane.ts';
import { ANSWER_CHARACTERS, READ_TIMEOUT_MS } from './limits.ts';
import { readTwice } from './retry.ts';
import { isSecretRef } from './secrets.ts';
import { readVitals } from './vitals.ts';

/** What reads one server, and has no way to change it: it knows the fleet's read calls only. */
export function openReader(lane: Lane): Reader {
  return {
    files: (paths): Promise<readonly FileFacts[]> => readFiles(lane, paths),
    bootId: () => readBootId(lane),
    get: (path, options) => getFrom(lane, path, options),
    ask: (name) => ask(lane, name),
    power: async (): Promise<PowerFacts> => {
      lane.report('bmc', 'read the power state', false);
      return lane.power().read();
    },
    vitals: (): Promise<Vitals> =>
      readVitals(lane, { ask: (name) => ask(lane, name), get: (path, options) => getFrom(lane, path, options) }),
  };
}

async function readBootId(lane: Lane): Promise<string> {
  const ran = await readTwice(() =>
    lane.run('cat /proc/sys/kernel/random/boot_id', { timeoutMs: READ_TIMEOUT_MS, writes: false }),
  );
  const id = ran.stdout.trim();
  if (ran.code === 0 && /^[0-9A-Za-z-]{8,64}$/.test(id)) return id;
  throw failedOn(
    lane,
    'output',
    `its boot ID cannot be read (exit ${String(ran.code)}: ${quoted(lane, ran.stderr)})`,
    'Nothing was changed',
    'Only Linux has /proc/sys/kernel/random/boot_id; the account must be able to read it',
  );
}

async function ask(lane: Lane, name: ReadName): Promise<string> {
  const call = readCall(lane.server, name);
  if ('prometheus' in call) return askPrometheus(lane, name, call);
  const text = 'run' in call ? await askByShell(lane, name, call) : await askByHttp(lane, name, call);
  const answer = call.field === undefined ? text : pickField(text, call.field);
  if (answer === null)
    throw failedOn(
      lane,
      'output',
      `${name} answered without the field ${call.field ?? ''}: ${quoted(lane, text)}`,
      'Nothing was changed',
      'Run the call by hand and compare its answer with field in the fleet',
    );
  return clean(lane, answer).trim();
}

async function askByShell(
  lane: Lane,
  name: ReadName,
  call: { readonly run: string; readonly become?: boolean | undefined; readonly timeoutMs?: number | undefined },
): Promise<string> {
  const ran = await readTwice(() =>
    lane.run(call.run, { timeoutMs: call.timeoutMs ?? READ_TIMEOUT_MS, become: call.become === true, writes: false }),
  );
  if (ran.truncated)
    throw failedOn(
      lane,
      'output',
      `${name} printed more than can be kept`,
      'Nothing was changed',
      'Make the command print less',
    );
  if (ran.code === 0) return ran.stdout;
  throw failedOn(
    lane,
    'command',
    `${name} ended with ${ran.signal ?? `exit ${String(ran.code)}`}: ${quoted(lane, ran.stderr === '' ? ran.stdout : ran.stderr)}`,
    'Nothing was changed',
    `Run it there by hand: ${quoted(lane, call.run)}`,
  );
}

async function askByHttp(
  lane: Lane,
  name: ReadName,
  call: { readonly get: string; readonly timeoutMs?: number | undefined },
): Promise<string> {
  lane.report('http', `GET ${call.get}`, false);
  const answer = await httpGet(call.get, { where: lane.server.name, timeoutMs: call.timeoutMs ?? READ_TIMEOUT_MS });
  if (answer.status >= 200 && answer.status < 300) return answer.body;
  throw failedOn(
    lane,
    'command',
    `${name} was answered with HTTP ${answer.status}: ${quoted(lane, answer.body)}`,
    'Nothing was changed',
    'Ask the address by hand and compare with the fleet',
  );
}

/** One number, in decimal. */
async function askPrometheus(
  lane: Lane,
  name: ReadName,
  call: Extract<ClockRead, { prometheus: string }>,
): Promise<string> {
  lane.report('http', `GET ${call.prometheus} query ${call.query}`, false);
  const parts = {
    get: httpGet,
    cwd: '.',
    wallClockMs,
    clean: (text: string, atMost: number) => sanitise(lane.shared.redactor.redact(text), atMost),
    pick: pickField,
  };
  const { prometheus, query, staleMs, timeoutMs } = call;
  return String(await createCounter(parts)({ prometheus, query, staleMs, timeoutMs }, `${lane.server.name}, ${name}`));
}

async function getFrom(
  lane: Lane,
  path: string,
  options: { readonly headers?: Readonly<Record<string, string>>; readonly timeoutMs: number },
): Promise<HttpAnswer> {
  const { url, name } = lane.server;
  if (url === undefined)
    throw failedOn(
      lane,
      'command',
      'the fleet does not say where its HTTP is',
      'Nothing was sent to it',
      `Give ${name} a url in the fleet`,
    );
  const headers: Record<string, string> = {};
  for (const [key, value] of Object.entries(options.headers ?? {}))
    headers[key] = isSecretRef(value) ? await lane.shared.secrets.resolve(value) : value;
  // Joined as text, so that no path can lead to another host.
  const address = `${url.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`;
  lane.report('http', `GET ${address}`, false);
  const answer = await httpGet(address, { where: name, timeoutMs: options.timeoutMs, headers });
  return { ...answer, body: clean(lane, answer.body) };
}

function clean(lane: Lane, text: string): string {
  return sanitise(lane.shared.redactor.redact(text), ANSWER_CHARACTERS);
}
