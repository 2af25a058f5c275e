import { createHash } from 'node:crypto';
import {
  cacheOf,
  cutPath,
  databaseAnswers,
  databaseDelayMs,
  enterOffline,
  leaveOffline,
  refreshCache,
  reload,
  restorePath,
  type ServerState,
  type Told,
  type World,
} from '../herd/index.ts';
import { runFenceScript } from './fence.ts';
import { contentOf, runFileScript } from './file-scripts.ts';
import { splitWords } from './words.ts';

/** The version of the software that every server of a lab runs. */
const SOFTWARE = 'api 42.1';

/** What a command gave. `tookMs` is lab time. */
export interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly tookMs: number;
  /** For the record: what it was, whether it is meant to change something, and whether it did. */
  readonly what: string;
  readonly writes: boolean;
  readonly changed: boolean;
}

/** Who runs what on which server. `stdin` is one byte a character. */
export interface Call {
  readonly world: World;
  readonly server: ServerState;
  readonly user: string;
  readonly stdin: string;
}

/** Runs a command line against the model. Nothing of this machine is touched: no shell, no file, no process. */
export function runCommand(line: string, call: Call): Outcome {
  const words = splitWords(line);
  if (words === null) return refused(2, 'sh: this server understands plain words only');
  return runWords(words, call);
}

/** Whether the command reads its standard input to the end. */
export function readsInput(line: string): boolean {
  const words = splitWords(line) ?? [];
  return words.includes('sh') && words.includes('-c');
}

function runWords(words: readonly string[], call: Call): Outcome {
  const [first = '', ...rest] = words;
  if (/^[A-Z_]+=/.test(first)) return runWords(rest, call);
  switch (first) {
    case 'sudo':
      return sudo(rest, call);
    case 'exec':
    case 'env':
      return runWords(rest, call);
    case 'sh':
      return shell(rest, call);
    case 'apictl':
      return apictl(rest, call);
    case 'true':
    case ':':
      return said('', words);
    case 'false':
      return { ...said('', words), code: 1 };
    case 'id':
      return said(rest[0] === '-un' ? call.user : call.user === 'root' ? '0' : '1000', words);
    case 'hostname':
      return said(call.server.name, words);
    case 'echo':
      return said(rest.join(' '), words);
    case 'cat':
      return cat(
        rest.filter((word) => word !== '--'),
        call,
        words,
      );
    case 'sha256sum':
      return sums(
        rest.filter((word) => word !== '--'),
        call,
        words,
      );
    default:
      return refused(127, `sh: ${first}: not found`);
  }
}

function sudo(words: readonly string[], call: Call): Outcome {
  let at = 0;
  for (let word = words[0]; word?.startsWith('-') === true; word = words[at]) {
    at += word === '-u' ? 2 : 1;
    if (word === '--') break;
  }
  if (!words.slice(0, at).includes('-n')) return refused(1, 'sudo: a terminal is required to read the password');
  return at >= words.length ? said('', words) : runWords(words.slice(at), { ...call, user: 'root' });
}

function shell(words: readonly string[], call: Call): Outcome {
  if (words[0] !== '-c' || words[1] === undefined) return refused(2, 'sh: only sh -c is understood');
  const file =
    runFileScript(words[1], words.slice(3), call) ?? runFenceScript(words[1], words.slice(3), call, runCommand);
  if (file !== null) return file;
  // A first line that only says something on standard error: how a caller learns that sudo let it in.
  const { said: first, rest = '' } = /^echo "(?<said>[^"$`\\]*)" >&2\n(?<rest>[^]*)$/.exec(words[1])?.groups ?? {};
  if (first === undefined) return runCommand(words[1], call);
  const outcome = runCommand(rest, call);
  return { ...outcome, stderr: `${first}\n${outcome.stderr}` };
}

function cat(paths: readonly string[], call: Call, words: readonly string[]): Outcome {
  const contents = paths.map((path) => contentOf(call, path));
  if (contents.includes(null))
    return {
      ...refused(1, `cat: ${paths[contents.indexOf(null)] ?? ''}: No such file or directory`),
      what: words.join(' '),
    };
  return { ...said('', words), stdout: contents.join('') };
}

function sums(paths: readonly string[], call: Call, words: readonly string[]): Outcome {
  const lines = paths.map((path) => `${sha256(contentOf(call, path) ?? '')}  ${path}`);
  const missing = paths.find((path) => contentOf(call, path) === null);
  if (missing !== undefined)
    return { ...refused(1, `sha256sum: ${missing}: No such file or directory`), what: words.join(' ') };
  return said(lines.join('\n'), words);
}

/** The service's own control command. */
function apictl(words: readonly string[], call: Call): Outcome {
  const { world, server } = call;
  const all = ['apictl', ...words];
  switch (words.slice(0, 3).join(' ')) {
    case 'version':
      return said(SOFTWARE, all);
    case 'offline status':
      return said(server.offline ? 'on' : 'off', all);
    case 'offline on':
      return told(enterOffline(world, server), 'cannot fetch the configuration: the database does not answer', all);
    case 'offline off':
      return told(leaveOffline(world, server), '', all);
    case 'cache status':
      return cacheStatus(call, all);
    case 'cache refresh':
      return told(refreshCache(world, server), 'the database does not answer', all);
    case 'database ping':
      if (databaseAnswers(world, server)) return said('ok', all);
      return {
        ...refused(1, 'apictl: the database does not answer'),
        tookMs: databaseDelayMs(world, server),
        what: all.join(' '),
      };
    case 'database delay':
      return databaseDelay(call, all);
    case 'path cut database':
      return cut(words[3], call, all);
    case 'path restore database':
      return { ...said('open', all), writes: true, changed: restorePath(world, server) };
    case 'path status database':
      return said(server.cutUntilMs === null ? 'open' : 'cut', all);
    case 'running':
      return said(
        Object.entries(server.running)
          .map(([path, content]) => `${sha256(content)}  ${path}`)
          .join('\n'),
        all,
      );
    case 'reload':
      return reloaded(call, all);
    default:
      return refused(64, `apictl: unknown: ${words.join(' ')}`);
  }
}

function cacheStatus({ world, server }: Call, words: readonly string[]): Outcome {
  const cache = cacheOf(world, server);
  if (cache === null) return { ...refused(1, 'apictl: the cache is empty'), what: words.join(' ') };
  return said(JSON.stringify({ ageMs: Math.max(0, Math.round(cache.ageMs)), ttlMs: Math.round(cache.ttlMs) }), words);
}

/** What a query waits now: asking takes as long. */
function databaseDelay({ world, server }: Call, words: readonly string[]): Outcome {
  if (!databaseAnswers(world, server)) {
    const tookMs = databaseDelayMs(world, server);
    return { ...refused(1, 'apictl: the database does not answer'), tookMs, what: words.join(' ') };
  }
  const waitMs = Math.round(Math.max(0, world.database.busyUntilMs - world.nowMs) + world.database.slowMs);
  return { ...said(String(waitMs), words), tookMs: waitMs };
}

/** A cut of the server's own path lasts no longer than this, in lab seconds. */
const MAX_CUT_SECONDS = 86_400;

function cut(seconds: string | undefined, { world, server }: Call, words: readonly string[]): Outcome {
  const forSeconds = Number(seconds);
  if (!/^\d{1,5}$/.test(seconds ?? '') || forSeconds < 1 || forSeconds > MAX_CUT_SECONDS)
    return refused(64, 'apictl: path cut database SECONDS');
  cutPath(world, server, world.nowMs + forSeconds * 1_000);
  return { ...said('cut', words), writes: true, changed: true };
}

function reloaded({ world, server }: Call, words: readonly string[]): Outcome {
  const before = JSON.stringify(server.running);
  reload(world, server);
  return { ...said('', words), writes: true, changed: JSON.stringify(server.running) !== before };
}

function told(result: Told, why: string, words: readonly string[]): Outcome {
  const base = result.ok ? said('', words) : refused(1, `apictl: ${why}`);
  return { ...base, what: words.join(' '), tookMs: result.tookMs, writes: true, changed: result.changed };
}

function said(text: string, words: readonly string[]): Outcome {
  return {
    code: 0,
    stdout: text === '' ? '' : `${text}\n`,
    stderr: '',
    tookMs: 0,
    what: words.join(' '),
    writes: false,
    changed: false,
  };
}

function refused(code: number, why: string): Outcome {
  return { code, stdout: '', stderr: `${why}\n`, tookMs: 0, what: why, writes: false, changed: false };
}

function sha256(content: string): string {
  return createHash('sha256').update(content, 'latin1').digest('hex');
}
