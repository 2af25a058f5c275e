import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import ssh2 from 'ssh2';
import { afterMs } from './deadline.ts';
import { loginsOf, parseSshKey, type Login } from './identity.ts';
import type { SshTarget } from './target.ts';

/** An agent that does not answer within this, in real milliseconds, is not waited for: the run goes on without its key's name. */
const AGENT_MS = 3_000;

/**
 * `SHA256:...` of the key that a login there is tried with first, as ssh-keygen -l shows it; null when it cannot be
 * told (no key file, no agent, an agent without keys). Which key a server takes in the end is between it and the agent.
 */
export async function keyFingerprint(target: SshTarget): Promise<string | null> {
  const { logins } = await loginsOf(target);
  const [first] = logins;
  if (first?.method.type === 'publickey') return fingerprintOf(first.method.key);
  // A key with a passphrase is the agent's to use; its public half says which one it is.
  for (const file of target.identityFiles) {
    const found = fingerprintOf(await readFile(file.endsWith('.pub') ? file : `${file}.pub`).catch(() => null));
    if (found !== null) return found;
  }
  return first?.method.type === 'agent' ? ofAgent(first.method.agent) : null;
}

function fingerprintOf(content: Buffer | null): string | null {
  const key = content === null ? null : parseSshKey(content);
  return key === null ? null : nameOf(key.getPublicSSH());
}

function ofAgent(agent: Extract<Login['method'], { type: 'agent' }>['agent']): Promise<string | null> {
  const asked = typeof agent === 'string' ? ssh2.createAgent(agent) : agent;
  return new Promise((resolve) => {
    const cancel = afterMs(AGENT_MS, () => resolve(null));
    asked.getIdentities((error, keys) => {
      cancel();
      const [key] = error ? [] : (keys ?? []);
      const parsed = typeof key === 'object' && 'getPublicSSH' in key ? key.getPublicSSH() : null;
      resolve(parsed === null ? null : nameOf(parsed));
    });
  });
}

function nameOf(publicKey: Buffer): string {
  return `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`;
}
