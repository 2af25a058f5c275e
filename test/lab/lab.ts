import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { startLab, type Lab, type LabOptionsInput } from '../../src/lab/index.ts';

/** A lab in the test's own process, fast enough that no test waits long; closed by `using`. */
export interface TestLab extends Disposable {
  readonly lab: Lab;
  readonly dir: string;
  readonly server: (name: string) => Lab['fleet']['servers'][number];
}

export async function openLab(options: Partial<LabOptionsInput> = {}): Promise<TestLab> {
  const dir = mkdtempSync(join(tmpdir(), 'neap-lab-'));
  const lab = await startLab({
    name: 'test',
    dir,
    servers: 4,
    timeLapse: 50,
    scenario: 'feb-2021',
    seed: 7,
    ...options,
  });
  return {
    lab,
    dir,
    server: (name) => lab.fleet.servers.find((server) => server.name === name)!,
    [Symbol.dispose]() {
      lab.close();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

export interface Said {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real SSH client of one server, which trusts only the host key in the lab's known_hosts. */
export interface Login extends Disposable {
  readonly client: ssh2.Client;
  run(command: string, stdin?: string): Promise<Said>;
}

export function login(
  { dir, server }: TestLab,
  name: string,
  change: Partial<ssh2.ConnectConfig> = {},
): Promise<Login> {
  const { ssh } = server(name);
  if (typeof ssh !== 'object') throw new Error('a lab says how to reach its servers');
  const known = readFileSync(join(dir, 'known_hosts'), 'utf8')
    .split('\n')
    .find((line) => line.startsWith(`[127.0.0.1]:${ssh.port} `));
  const client = new ssh2.Client();
  return new Promise((resolve, reject) => {
    client.on('ready', () => {
      client.setNoDelay(true);
      resolve({ client, run: (command, stdin) => run(client, command, stdin), [Symbol.dispose]: () => client.end() });
    });
    client.on('error', reject);
    client.connect({
      host: ssh.host,
      port: ssh.port ?? 22,
      username: ssh.user,
      // Another way in is tried alone.
      ...((change.agent ?? change.password) ? {} : { privateKey: readFileSync(ssh.identityFile) }),
      hostVerifier: (key: Buffer) => known?.split(' ')[2] === key.toString('base64'),
      readyTimeout: 3_000,
      ...change,
    });
  });
}

function run(client: ssh2.Client, command: string, stdin = ''): Promise<Said> {
  return new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => {
      if (error) return reject(error);
      const said = { stdout: '', stderr: '' };
      let code = -1;
      channel.on('data', (chunk: Buffer) => (said.stdout += chunk.toString('latin1')));
      channel.stderr.on('data', (chunk: Buffer) => (said.stderr += chunk.toString('latin1')));
      channel.on('exit', (exit: number) => (code = exit));
      // It also closes, without an exit, when the connection is lost.
      channel.on('close', () => resolve({ code, ...said }));
      channel.end(stdin);
    });
  });
}

/** Resolves when the condition holds; throws after `withinMs`. */
export async function until(holds: () => boolean | Promise<boolean>, withinMs = 60_000): Promise<void> {
  const untilMs = Date.now() + withinMs;
  while (!(await holds())) {
    if (Date.now() > untilMs) throw new Error(`not within ${withinMs} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
