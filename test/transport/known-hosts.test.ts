import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fingerprint, hostKeyAlgorithms, keyType, knownKeys, knownName } from '../../src/transport/known-hosts.ts';
import { newKey } from './sshd.ts';

const key = newKey();
const [type = '', encoded = ''] = key.public.split(' ');
const blob = Buffer.from(encoded, 'base64');
const knows = (text: string, host: string): boolean =>
  knownKeys(text, host).keys.some((known) => known.blob.equals(blob));

test.each([
  ['api-1', 'api-1', true],
  ['API-1', 'api-1', true],
  ['api-10', 'api-1', false],
  ['web,api-1', 'api-1', true],
  ['api-*', 'api-1', true],
  ['api-?', 'api-1', true],
  ['api.1', 'api-1', false],
  ['api-*,!api-1', 'api-1', false],
  ['*', '[10.0.0.1]:2222', true],
  ['[10.0.0.1]:2222', '[10.0.0.1]:2222', true],
  ['10.0.0.1', '[10.0.0.1]:2222', false],
  ['# api-1', 'api-1', false],
  ['@cert-authority api-1', 'api-1', false],
  ['@unheard-of api-1', 'api-1', false],
])('%s knows %s: %s', (names, host, expected) => {
  expect(knows(`${names} ${type} ${encoded} a comment\n`, host)).toBe(expected);
});

test('lines that cannot be read, and a key that is not of its type, are no knowledge', () => {
  expect(
    knownKeys(`api-1\napi-1 ${type}\napi-1 ssh-rsa ${encoded}\napi-1 ${type} AAAA\n|1|x\n\n`, 'api-1').keys,
  ).toEqual([]);
});

test('a revoked key is told apart', () => {
  const known = knownKeys(`api-1 ${type} ${encoded}\n@revoked api-1 ${type} ${encoded}\n`, 'api-1');
  expect([known.keys.length, known.revoked.length]).toEqual([1, 1]);
});

test.skipIf(spawnSync('ssh-keygen', ['-?']).error !== undefined)(
  'hashed names and fingerprints are those of ssh-keygen',
  () => {
    const dir = mkdtempSync(join(tmpdir(), 'neap-known-'));
    try {
      const file = join(dir, 'known_hosts');
      writeFileSync(file, `api-1 ${type} ${encoded}\n[10.0.0.1]:2222 ${type} ${encoded}\n`);
      spawnSync('ssh-keygen', ['-H', '-f', file]);
      const hashed = readFileSync(file, 'utf8');
      expect(hashed).not.toContain('api-1');
      expect([knows(hashed, 'api-1'), knows(hashed, knownName('10.0.0.1', 2222)), knows(hashed, 'api-2')]).toEqual([
        true,
        true,
        false,
      ]);
      writeFileSync(file, `${key.public}\n`);
      expect(spawnSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' }).stdout).toContain(` ${fingerprint(blob)} `);
    } finally {
      rmSync(dir, { recursive: true });
    }
  },
);

test('only algorithms of known keys are offered; RSA signs with SHA-2', () => {
  expect(hostKeyAlgorithms([{ type: 'ssh-rsa', blob }])).toEqual(['rsa-sha2-512', 'rsa-sha2-256']);
  expect(hostKeyAlgorithms([{ type, blob }])).toEqual([type]);
  expect(hostKeyAlgorithms([{ type: 'sk-ssh-ed25519@openssh.com', blob }])).toHaveLength(6);
  expect([keyType(blob), keyType(Buffer.from([0, 0, 1, 0, 1])), keyType(Buffer.alloc(0))]).toEqual([type, null, null]);
});
