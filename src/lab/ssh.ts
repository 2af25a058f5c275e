import { timingSafeEqual } from 'node:crypto';
import ssh2, { type AuthContext, type Connection, type ParsedKey, type ServerChannel, type Session } from 'ssh2';
import type { ServerState } from '../herd/index.ts';
import { LAB_USER } from './account.ts';
import { readsInput, runCommand } from './commands.ts';
import { openLink, type Link, type Manner } from './link.ts';
import { serveSftp } from './sftp.ts';
import type { Stage } from './stage.ts';

/** What a command may be sent on its standard input. */
const MAX_INPUT_BYTES = 4 * 1024 * 1024;

// ssh2's server says goodbye to a client that is silent for a minute; a hung one must not say anything.
ssh2.Server.KEEPALIVE_CLIENT_INTERVAL = 0;

export interface SshParts {
  readonly hostKey: string;
  /** The only key that is let in. */
  readonly userKey: string;
  readonly manner: () => Manner;
}

/** One server's SSH: exec and SFTP for one key, against the model. */
export async function openSsh(stage: Stage, server: ServerState, parts: SshParts): Promise<Link> {
  const allowed = ssh2.utils.parseKey(parts.userKey);
  if (allowed instanceof Error) throw allowed;
  const ssh = new ssh2.Server({ hostKeys: [parts.hostKey], ident: 'neap-lab' }, (client) =>
    welcome(stage, server, client, allowed),
  );
  return openLink(parts.manner, (socket) => ssh.injectSocket(socket));
}

function welcome(stage: Stage, server: ServerState, client: Connection, allowed: ParsedKey): void {
  client.on('error', () => client.end());
  client.on('authentication', (context) => authenticate(context, allowed));
  client.on('session', (acceptSession) => {
    const session = acceptSession();
    session.on('exec', (accept, _reject, { command }) => execute(stage, server, accept(), command));
    session.on('sftp', (accept) => serveSftp(stage, server, accept()));
    session.on('pty', (accept) => accept?.());
    refuseShell(session);
  });
}

function authenticate(context: AuthContext, allowed: ParsedKey): void {
  const known =
    context.method === 'publickey' &&
    context.username === LAB_USER &&
    context.key.algo === allowed.type &&
    sameBytes(context.key.data, allowed.getPublicSSH()) &&
    // Without a signature the client only asks whether the key would do.
    (context.signature === undefined || isSignedBy(allowed, context.blob, context.signature));
  if (known) context.accept();
  else context.reject(['publickey']);
}

function isSignedBy(key: ParsedKey, blob: Buffer | undefined, signature: Buffer): boolean {
  // ssh2 gives back an Error where its types promise a boolean, and an Error is truthy.
  const verdict: unknown = key.verify(blob ?? Buffer.alloc(0), signature);
  return verdict === true;
}

function refuseShell(session: Session): void {
  session.on('shell', (accept) => {
    const stream = accept();
    stream.stderr.write('This server of a lab runs single commands: no shell.\r\n');
    stream.exit(1);
    stream.end();
  });
}

function execute(stage: Stage, server: ServerState, stream: ServerChannel, command: string): void {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  let started = false;
  const start = (): void => {
    if (started) return;
    started = true;
    void run(stage, server, stream, command, Buffer.concat(chunks).toString('latin1'));
  };
  stream.on('error', () => stream.destroy());
  stream.on('data', (chunk: Buffer) => {
    sizeBytes += chunk.length;
    if (sizeBytes <= MAX_INPUT_BYTES) chunks.push(chunk);
  });
  stream.on('end', start);
  if (!readsInput(command)) start();
}

async function run(
  stage: Stage,
  server: ServerState,
  stream: ServerChannel,
  command: string,
  stdin: string,
): Promise<void> {
  stage.touch();
  const outcome = runCommand(command, { world: stage.world, server, user: LAB_USER, stdin });
  stage.record.add({
    server: server.name,
    via: 'ssh',
    what: outcome.what,
    writes: outcome.writes,
    changed: outcome.changed,
    ok: outcome.code === 0,
  });
  stage.touch();
  if (outcome.tookMs > 0) await stage.wait(outcome.tookMs);
  if (stream.destroyed) return;
  if (outcome.stdout !== '') stream.write(Buffer.from(outcome.stdout, 'latin1'));
  if (outcome.stderr !== '') stream.stderr.write(outcome.stderr);
  stream.exit(outcome.code);
  stream.end();
}

function sameBytes(a: Buffer, b: Buffer): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
