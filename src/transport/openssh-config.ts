import { execFile } from 'node:child_process';
import { homedir, userInfo } from 'node:os';
import { FailureError } from '../model/index.ts';
import type { Fleet, Server } from '../model/index.ts';
import { CONNECT_TIMEOUT_MS, JUMPS_IN_A_ROW, SSH_CONFIG_TIMEOUT_MS } from './limits.ts';
import type { Pace } from './pace.ts';
import { createPace } from './pace.ts';
import { sanitise } from './sanitise.ts';
import type { SshTarget } from './target.ts';

/** Where servers are. What one server needed to be looked up (its jump host, say) is not looked up again for the next. */
export interface AddressBook {
  /** The server's own `ssh` where the fleet gives one, else what the user's OpenSSH configuration says. Rejects with `unreachable`. */
  readonly addressOf: (server: Pick<Server, 'name' | 'ssh'>) => Promise<SshTarget>;
}

/** An address book over `ssh -G`, which is OpenSSH's own reading of its configuration; it contacts nobody. */
export function openAddressBook(fleet: Pick<Fleet, 'sshConfig'>): AddressBook {
  const pace = createPace(4);
  const texts = new Map<string, Promise<string>>();
  const configOf: ConfigOf = (hop, where) => {
    const args = [
      ...(fleet.sshConfig === undefined ? [] : ['-F', fleet.sshConfig]),
      ...(hop.user === null ? [] : ['-l', hop.user]),
      ...(hop.port === null ? [] : ['-p', String(hop.port)]),
    ];
    const key = JSON.stringify([...args, hop.host]);
    const text = texts.get(key) ?? readConfig(pace, ['-G', ...args, '--', hop.host], where);
    texts.set(key, text);
    return text;
  };
  return {
    addressOf: async (server) => {
      if (server.ssh === 'openssh')
        return resolveHop({ host: server.name, port: null, user: null }, server.name, configOf, 0);
      const { host, port, user, identityFile, knownHostsFile, connectTimeoutMs } = server.ssh;
      return {
        name: server.name,
        host,
        port,
        user,
        identityFiles: [expandPath(identityFile, {})],
        identitiesOnly: true,
        agent: null,
        knownHostsFiles: [expandPath(knownHostsFile, {})],
        hostKeyName: null,
        jump: null,
        connectTimeoutMs: connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
      };
    },
  };
}

/** One host as ProxyJump names it. */
export interface Hop {
  readonly user: string | null;
  readonly host: string;
  readonly port: number | null;
}

type ConfigOf = (hop: Hop, where: string) => Promise<string>;

async function resolveHop(
  hop: Hop,
  where: string,
  configOf: ConfigOf,
  depth: number,
  before?: readonly Hop[],
): Promise<SshTarget> {
  if (depth > JUMPS_IN_A_ROW)
    throw refused(
      where,
      `more than ${JUMPS_IN_A_ROW} jump hosts stand in a row`,
      'Look for a ProxyJump that leads back to itself in the SSH configuration',
    );
  const values = parseConfig(await configOf(hop, where));
  const one = (key: string): string | undefined => values.get(key)?.[0];
  const proxy = one('proxycommand');
  if (proxy !== undefined && proxy !== 'none')
    throw refused(
      where,
      'the SSH configuration has a ProxyCommand for it, which neap does not run',
      'Use ProxyJump, or give ssh: { ... } in the fleet',
    );
  const host = one('hostname') ?? hop.host;
  const port = Number(one('port') ?? 22);
  const user = one('user') ?? userInfo().username;
  const tokens = { h: host, n: hop.host, p: String(port), r: user };
  const jumps = before ?? parseJumps(one('proxyjump') ?? 'none', where);
  const nearest = jumps.at(-1);
  // The first of several jump hosts is reached as its own configuration says, each later one through the one before it.
  const ahead = jumps.length > 1 ? jumps.slice(0, -1) : undefined;
  const seconds = Number(one('connecttimeout'));
  return {
    name: hop.host,
    host,
    port,
    user,
    identityFiles: (values.get('identityfile') ?? []).map((file) => expandPath(file, tokens)),
    identitiesOnly: one('identitiesonly') === 'yes',
    agent: agentSocket(one('identityagent'), tokens),
    knownHostsFiles: [one('userknownhostsfile'), one('globalknownhostsfile')]
      .flatMap((files) => (files ?? '').split(' '))
      .flatMap((file) => (file === '' || file === 'none' ? [] : [expandPath(file, tokens)])),
    hostKeyName: one('hostkeyalias') ?? null,
    jump: nearest === undefined ? null : await resolveHop(nearest, where, configOf, depth + 1, ahead),
    connectTimeoutMs: seconds > 0 ? Math.min(seconds * 1000, 60_000) : CONNECT_TIMEOUT_MS,
  };
}

/** `ssh -G` prints one `keyword value` a line, keywords in lower case, some more than once. */
function parseConfig(text: string): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const line of text.split('\n')) {
    const space = line.indexOf(' ');
    if (space <= 0) continue;
    const key = line.slice(0, space);
    values.set(key, [...(values.get(key) ?? []), line.slice(space + 1).trim()]);
  }
  return values;
}

/** `none`, or `[user@]host[:port]` and `ssh://` forms apart by commas, in the order in which they are passed. */
function parseJumps(text: string, where: string): readonly Hop[] {
  if (text === 'none') return [];
  return text.split(',').map((word) => {
    const groups =
      /^(?:ssh:\/\/)?(?:(?<user>[^@\s]+)@)?(?:\[(?<ip>[0-9A-Fa-f:.%]+)\]|(?<host>[^:@\s[\]/]+))(?::(?<port>\d{1,5}))?\/?$/.exec(
        word.trim(),
      )?.groups;
    const host = groups?.['ip'] ?? groups?.['host'];
    if (host === undefined)
      throw refused(
        where,
        `its ProxyJump cannot be read: ${sanitise(word, 100)}`,
        'Write it as [user@]host[:port], several apart by commas',
      );
    return {
      user: groups?.['user'] ?? null,
      host,
      port: groups?.['port'] === undefined ? null : Number(groups['port']),
    };
  });
}

/** The tokens of ssh_config(5) that a path may hold, `${VARIABLE}` and the leading tilde. */
function expandPath(path: string, tokens: Readonly<Record<string, string>>): string {
  const all: Readonly<Record<string, string>> = { ...tokens, '%': '%', d: homedir(), u: userInfo().username };
  return path
    .replace(/^~(?=\/|$)/, homedir())
    .replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => process.env[name] ?? whole)
    .replaceAll(/%(.)/g, (whole, token: string) => all[token] ?? whole);
}

function agentSocket(setting: string | undefined, tokens: Readonly<Record<string, string>>): string | null {
  if (setting === 'none') return null;
  if (setting === undefined || setting === 'SSH_AUTH_SOCK') return process.env['SSH_AUTH_SOCK'] ?? null;
  return setting.startsWith('$') && !setting.startsWith('${')
    ? (process.env[setting.slice(1)] ?? null)
    : expandPath(setting, tokens);
}

function readConfig(pace: Pace, args: readonly string[], where: string): Promise<string> {
  return pace(
    () =>
      new Promise((resolve, reject) => {
        execFile(
          'ssh',
          args,
          { timeout: SSH_CONFIG_TIMEOUT_MS, maxBuffer: 1024 * 1024, env: { ...process.env, LC_ALL: 'C' } },
          (error, stdout, stderr) => {
            if (error === null) resolve(stdout);
            else if (error.code === 'ENOENT')
              reject(
                refused(
                  where,
                  'there is no ssh on this machine to read the SSH configuration with',
                  'Install it (apt-get install openssh-client), or give ssh: { host, port, user, identityFile, knownHostsFile } in the fleet',
                ),
              );
            else
              reject(
                refused(
                  where,
                  `ssh -G refused the SSH configuration: ${sanitise(stderr.trim(), 300)}`,
                  `Try it by hand: ssh ${args.join(' ')}`,
                ),
              );
          },
        );
      }),
  );
}

function refused(where: string, what: string, remedy: string): FailureError {
  return new FailureError({ kind: 'unreachable', what, where, state: 'Nothing was sent to it', remedy });
}
