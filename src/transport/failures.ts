import { FailureError } from '../model/index.ts';
import type { Failure } from '../model/index.ts';
import type { HostKey } from './known-hosts.ts';
import { fingerprint, knownName } from './known-hosts.ts';
import type { SshTarget } from './target.ts';

/** The failures of this folder, in one place so that they speak alike. All texts are neap's own or sanitised before. */

const NOTHING_SENT = 'Nothing was sent to it';

/** No session could be had. */
export function unreachable(target: SshTarget, why: string, cause?: unknown): FailureError {
  return failed(
    {
      kind: 'unreachable',
      what: `SSH to ${target.user}@${knownName(target.host, target.port)} ${why}`,
      where: target.name,
      state: NOTHING_SENT,
      remedy: `Try it by hand: ssh -p ${target.port} ${target.user}@${target.host}`,
    },
    cause,
  );
}

/** The login was refused. Trying again would only bring the account closer to being locked. */
export function loginDenied(target: SshTarget, tried: readonly string[]): FailureError {
  const by = tried.length === 0 ? 'there was no key to try' : `tried ${tried.join(', ')}`;
  return failed({
    kind: 'denied',
    what: `SSH refused the login of ${target.user} (${by})`,
    where: target.name,
    state: NOTHING_SENT,
    remedy: `Put the public key into ~${target.user}/.ssh/authorized_keys there, load the right key into the agent (ssh-add), or name it as IdentityFile in the SSH configuration`,
  });
}

/** Its key is not one that is known. */
export function hostKeyRefused(
  target: SshTarget,
  presented: HostKey,
  known: readonly HostKey[],
  revoked: boolean,
): FailureError {
  const name = target.hostKeyName ?? knownName(target.host, target.port);
  const file = target.knownHostsFiles[0] ?? '~/.ssh/known_hosts';
  const shown = `${fingerprint(presented.blob)} (${presented.type})`;
  const expected = known.map((key) => `${fingerprint(key.blob)} (${key.type})`).join(', ');
  const scan = `ssh-keyscan -p ${target.port} ${target.host} >> ${file}`;
  const compare = 'Compare it with what ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub shows on the server, by its console';
  if (revoked) {
    return hostKey(
      target,
      `its host key ${shown} is revoked in ${target.knownHostsFiles.join(', ')}`,
      'Give the server a new host key; a revoked one is never accepted',
    );
  }
  if (known.length === 0)
    return hostKey(
      target,
      `its host key ${shown} is not known: ${name} is in none of ${target.knownHostsFiles.join(', ') || 'no file'}`,
      `${compare}; if it is the same: ${scan}`,
    );
  return hostKey(
    target,
    `its host key has changed: it shows ${shown}, known is ${expected}`,
    `Somebody may stand in between. ${compare}; only if it is the same: ssh-keygen -R '${name}' -f ${file} && ${scan}`,
  );
}

function hostKey(target: SshTarget, what: string, remedy: string): FailureError {
  return failed({ kind: 'host-key', what, where: target.name, state: 'No login was tried', remedy });
}

/** The connection ended when a command was under way. */
export function lost(target: SshTarget, why: string, cause?: unknown): FailureError {
  return failed(
    {
      kind: 'lost',
      what: `the SSH connection ended in the middle of a command (${why})`,
      where: target.name,
      state: 'What was sent may have run in whole, in part or not at all',
      remedy: 'Look at the server again before anything is repeated',
    },
    cause,
  );
}

/** No exit within the deadline. */
export function timedOut(target: SshTarget, timeoutMs: number): FailureError {
  return failed({
    kind: 'timeout',
    what: `a command did not end within ${timeoutMs} ms`,
    where: target.name,
    state: 'Nobody waits for it any more; it may still be running',
    remedy: 'Look at the load of the server; where the command is slow by nature, raise its timeoutMs in the fleet',
  });
}

/** It printed without end. */
export function flooded(target: SshTarget, bytes: number): FailureError {
  return failed({
    kind: 'output',
    what: `a command printed more than ${bytes} bytes`,
    where: target.name,
    state: 'Nobody reads it any more; it may still be running',
    remedy: 'Run the command by hand and make it print less',
  });
}

/** The server would not start a command. */
export function commandRefused(target: SshTarget, cause: unknown): FailureError {
  return failed(
    {
      kind: 'denied',
      what: 'SSH let the login in and refused to run a command',
      where: target.name,
      state: 'The command did not run',
      remedy: `See sshd's log there: a ForceCommand, MaxSessions or the account's shell may forbid it`,
    },
    cause,
  );
}

/** `sudo -n` did not start the command. */
export function sudoRefused(target: SshTarget, code: number | null, said: string): FailureError {
  const missing = code === 127;
  return failed({
    kind: 'denied',
    what: missing
      ? 'there is no sudo'
      : `sudo would not run a command without a password${said === '' ? '' : ` (${said})`}`,
    where: target.name,
    state: 'The command did not run',
    remedy: missing
      ? 'Install sudo there, or log in as an account that needs none'
      : `Give the account the right there: ${target.user} ALL=(root) NOPASSWD: ALL (visudo), or run the commands without become`,
  });
}

/** The way to a server is broken: one fault, however many servers lie behind it. */
export function pathBroken(
  jump: SshTarget,
  behind: SshTarget,
  why: string,
  told: { readonly state?: string; readonly remedy?: string } = {},
): FailureError {
  return failed({
    kind: 'path',
    what: `the jump host ${jump.name} in front of it ${why}`,
    where: behind.name,
    state: told.state ?? NOTHING_SENT,
    remedy:
      told.remedy ?? `Bring ${jump.name} back (ssh ${jump.name}); every server behind it is out of sight until then`,
    path: jump.name,
  });
}

function failed(failure: Failure, cause?: unknown): FailureError {
  return new FailureError(failure, cause === undefined ? undefined : { cause });
}
