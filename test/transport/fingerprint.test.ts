import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { keyFingerprint, type SshTarget } from '../../src/transport/index.ts';

// Goal: the key that neap logs in with is named as ssh-keygen names it. Method: real keys and a real agent.

const folder = mkdtempSync(join(tmpdir(), 'neap-keys-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const installed = ['ssh-keygen', 'ssh-agent', 'ssh-add'].every((program) => existsSync(`/usr/bin/${program}`));

function key(name: string, passphrase = ''): { readonly file: string; readonly shown: string } {
  const file = join(folder, name);
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', passphrase, '-f', file]);
  return {
    file,
    shown: execFileSync('ssh-keygen', ['-lf', `${file}.pub`])
      .toString()
      .split(' ')[1]!,
  };
}

const target = (identityFiles: readonly string[], agent: string | null = null): SshTarget => ({
  name: 'api-01',
  host: '127.0.0.1',
  port: 22,
  user: 'neap',
  identitiesOnly: false,
  hostKeyName: null,
  jump: null,
  identityFiles,
  agent,
  knownHostsFiles: [],
  connectTimeoutMs: 1_000,
});

describe.skipIf(!installed)('the key of a login (needs the OpenSSH client)', () => {
  test('is that of the first identity file that is there', async () => {
    const { file, shown } = key('plain');
    expect(await keyFingerprint(target([join(folder, 'none'), file]))).toBe(shown);
  });

  test('is that of its public half when it has a passphrase', async () => {
    const { file, shown } = key('locked', 'a passphrase');
    expect(await keyFingerprint(target([file]))).toBe(shown);
  });

  test("is the agent's first where there is no file", async () => {
    const { file, shown } = key('kept');
    const socket = join(folder, 'agent');
    const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' });
    try {
      for (let tries = 0; !existsSync(socket) && tries < 200; tries += 1) await wait(10);
      execFileSync('ssh-add', ['-q', file], { env: { ...process.env, SSH_AUTH_SOCK: socket }, stdio: 'ignore' });
      renameSync(file, `${file}.away`);
      renameSync(`${file}.pub`, `${file}.away.pub`);
      expect(await keyFingerprint(target([file], socket))).toBe(shown);
    } finally {
      agent.kill();
    }
  });

  test('is not known without any', async () => {
    expect(await keyFingerprint(target([join(folder, 'none')]))).toBeNull();
    expect(await keyFingerprint(target([], join(folder, 'no-agent')))).toBeNull();
  });
});
