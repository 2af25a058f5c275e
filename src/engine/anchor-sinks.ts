import { execFile } from 'node:child_process';
import { headText, type Head } from '../journal/index.ts';
import { FailureError, type ConfigData } from '../model/index.ts';
import { httpSend, sanitise, type Redactor } from '../transport/index.ts';
import { sayTo } from './pager.ts';
import type { Secrets } from './reach/secrets.ts';

type AnchorConfig = NonNullable<ConfigData['journal']['anchor']>;

/** A sink gets so long for one head, in real milliseconds; meanwhile the run goes on. */
const TELL_MS = 10_000;

/** Tells one head to somebody outside. Null: told; else why not. Never rejects, and ends within its limit. */
export type AnchorSink = (head: Head, atMs: number) => Promise<string | null>;

/** The sink that a configuration names. `secrets` has the webhook's address where that is a reference; `redactor` keeps it out of messages. */
export function anchorSink(run: string, config: AnchorConfig, secrets: Secrets, redactor: Redactor): AnchorSink {
  const clean = async (work: Promise<string | null>): Promise<string | null> => {
    const why = await work;
    return why === null ? null : sanitise(redactor.redact(why), 300);
  };
  switch (config.to) {
    case 'syslog':
      return (head) => clean(toSyslog(headText(run, head), config.socket));
    case 'command':
      return (head) => clean(sayTo(config.command, headText(run, head), TELL_MS));
    case 'webhook':
      return (head, atMs) => clean(toWebhook(run, config.url, head, atMs, secrets));
  }
}

/** RFC 5424 by util-linux's logger; any other logger speaks as POSIX has it, to wherever it speaks to. */
async function toSyslog(text: string, socket: string | undefined): Promise<string | null> {
  const first = await logger(['--version']);
  if (!first.out.includes('util-linux')) {
    if (first.missing) return 'there is no logger on this machine';
    if (socket !== undefined) return "this machine's logger takes no socket";
    return (await logger(['-t', 'neap', '-p', 'user.notice', text])).failed;
  }
  // Without the third, a daemon that is not there is passed over in silence.
  const words = ['--rfc5424=notq', `--id=${process.pid}`, '--socket-errors=on', '--msgid', 'head'];
  const to = socket === undefined ? [] : ['--socket', socket];
  return (await logger([...words, ...to, '-t', 'neap', '-p', 'user.notice', '--', text])).failed;
}

interface Logged {
  readonly out: string;
  readonly failed: string | null;
  readonly missing: boolean;
}

function logger(words: readonly string[]): Promise<Logged> {
  const env = { ...process.env, LC_ALL: 'C' };
  return new Promise((resolve) => {
    execFile('logger', words, { timeout: TELL_MS, maxBuffer: 64 * 1024, env }, (error, out, err) =>
      resolve({
        out,
        failed: error === null ? null : `logger: ${err.trim() || error.message}`,
        missing: error?.code === 'ENOENT',
      }),
    );
  });
}

/** The body holds the line that anchors are found by, so that a plain log of bodies is enough. */
async function toWebhook(run: string, url: string, head: Head, atMs: number, secrets: Secrets): Promise<string | null> {
  let where = 'the webhook';
  try {
    const address = /^https?:/.test(url) ? url : await secrets.resolve(url);
    where = new URL(address).origin;
    const body = { text: headText(run, head), run, seq: head.seq, hash: head.hash, atMs };
    const { status } = await httpSend('POST', address, body, { where, timeoutMs: TELL_MS });
    return status >= 200 && status < 300 ? null : `${where} answered ${status}`;
  } catch (error) {
    // Its path may hold a token, so the failure's own words are not shown.
    if (error instanceof FailureError && error.failure.kind !== 'denied') return `${where}: ${error.failure.kind}`;
    return error instanceof FailureError ? error.failure.what : `${where}: its address is not usable`;
  }
}
