import type { FileState } from '../herd/index.ts';
import { FENCE_EXIT, FENCE_SCRIPT, GONE_MAX, READ_FENCE_SCRIPT } from '../transport/index.ts';
import type { Call, Outcome } from './commands.ts';

/** How the lab runs the command behind the fence. */
export type RunInside = (line: string, call: Call) => Outcome;

/**
 * Does what neap's fence scripts would do on a server, on the model's files: the record lies on its disk and survives
 * its resets. Null where the script is another one. There is no lock: the lab does one thing at a time. In the lab's
 * record a fence is nothing that writes or changes, since the service has no part in it; it has words of its own there.
 */
export function runFenceScript(script: string, args: readonly string[], call: Call, inside: RunInside): Outcome | null {
  if (script === READ_FENCE_SCRIPT) return said(fileOf(args[0], call)?.content ?? 'absent\n', 'read the fence');
  if (script !== FENCE_SCRIPT) return null;
  const [directory = '', , , run = '', epoch = '', token = '', since = '', by = '', host = '', , verb, , command = ''] =
    args;
  const record = parse(fileOf(directory, call)?.content ?? null);
  const put = (text: string): void => {
    call.server.files[placeOf(directory, call)] = {
      content: `${text}\n`,
      mode: '0644',
      owner: `${call.user}:${call.user}`,
      writtenMs: call.world.nowMs,
    };
  };
  const standing = judge(record, { run, epoch: Number(epoch), token });
  if (verb !== 'run') {
    const its = record?.run === run && (verb === 'force' || standing === 'mine') ? record : null;
    if (its === null) return said('not-held\n', `fence ${verb} ${run}`);
    put(`released ${its.whose} gone ${[...its.gone, run].join(' ')}`);
    return said('released\n', `fence ${verb} ${run}`);
  }
  if (standing !== 'mine' && standing !== 'free') {
    const stderr = `neap-fence: ${standing} ${record?.state} ${record?.whose}\n`;
    return { ...said('', `fence refused ${run} ${epoch}`), code: FENCE_EXIT.held, stderr };
  }
  if (standing === 'free')
    put(`open ${run} ${epoch} ${token} ${since} ${by} ${host} gone ${(record?.gone ?? []).join(' ')}`);
  if (command === ':') return said('', `fence ${run} ${epoch}`);
  return inside(command, call);
}

interface Parsed {
  readonly state: string;
  readonly run: string;
  readonly epoch: number;
  readonly token: string;
  /** From the run to the host, as it stands there. */
  readonly whose: string;
  readonly gone: readonly string[];
}

function parse(content: string | null): Parsed | null {
  if (content === null) return null;
  const [state = '', run = '', epoch = '', token = '', since = '', by = '', host = '', , ...gone] = content
    .trim()
    .split(/\s+/);
  const whose = [run, epoch, token, since, by, host].join(' ');
  return { state, run, epoch: Number(epoch), token, whose, gone: gone.slice(-GONE_MAX) };
}

function judge(
  record: Parsed | null,
  mine: { readonly run: string; readonly epoch: number; readonly token: string },
): 'free' | 'mine' | 'other' | 'stale' | 'gone' {
  if (record === null) return 'free';
  if (record.gone.includes(mine.run)) return 'gone';
  if (record.run !== mine.run) return record.state === 'open' ? 'other' : 'free';
  if (record.epoch > mine.epoch || (record.epoch === mine.epoch && record.token !== mine.token)) return 'stale';
  return record.epoch === mine.epoch && record.state === 'open' ? 'mine' : 'free';
}

function placeOf(directory: string, { server, user }: Call): string {
  const home = user === 'root' ? '/root' : `/home/${user}`;
  return `${directory === '' ? `${home}/.local/state/neap` : directory}/fence.${server.name}`;
}

function fileOf(directory: string | undefined, call: Call): FileState | undefined {
  return call.server.files[placeOf(directory ?? '', call)];
}

function said(stdout: string, what: string): Outcome {
  return { code: 0, stdout, stderr: '', tookMs: 0, what, writes: false, changed: false };
}
