import { createHash, createHmac } from 'node:crypto';

/** A host key as known_hosts and the wire name it: its type, and its blob. */
export interface HostKey {
  readonly type: string;
  readonly blob: Buffer;
}

/** What known_hosts files say of one host. */
export interface KnownKeys {
  readonly keys: readonly HostKey[];
  /** `@revoked`: never accepted, whatever else is known. */
  readonly revoked: readonly HostKey[];
}

/**
 * The keys known for a host, in the format of sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT": plain, wildcard, negated and
 * hashed names. Lines that cannot be read and `@cert-authority` lines are no knowledge: they never make a key known.
 */
export function knownKeys(text: string, hostName: string): KnownKeys {
  const keys: HostKey[] = [];
  const revoked: HostKey[] = [];
  for (const line of text.split('\n')) {
    const words = line.trim().split(/\s+/);
    const marker = words[0]?.startsWith('@') === true ? words.shift() : undefined;
    const [names, type, encoded] = words;
    if (names === undefined || names.startsWith('#') || type === undefined || encoded === undefined) continue;
    if (marker !== undefined && marker !== '@revoked') continue;
    if (!matches(names, hostName)) continue;
    const blob = Buffer.from(encoded, 'base64');
    if (keyType(blob) === type) (marker === '@revoked' ? revoked : keys).push({ type, blob });
  }
  return { keys, revoked };
}

/** The name that known_hosts has for a host: with its port unless that is 22. */
export function knownName(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/** As OpenSSH shows it: `SHA256:` and unpadded base64. */
export function fingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** The type that a key blob says it has (RFC 4253, 6.6: its first string), or null where there is none. */
export function keyType(blob: Buffer): string | null {
  if (blob.length < 5) return null;
  const length = blob.readUInt32BE(0);
  return length <= 64 && blob.length >= 4 + length ? blob.toString('latin1', 4, 4 + length) : null;
}

const EVERY_ALGORITHM = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
] as const;
export type HostKeyAlgorithm = (typeof EVERY_ALGORITHM)[number];

/**
 * Which algorithms to offer: only those of keys that are known, so that a server which has also other keys shows the
 * known one; all of them where none is known. RSA keys sign with SHA-2 only.
 */
export function hostKeyAlgorithms(known: readonly HostKey[]): readonly HostKeyAlgorithm[] {
  const types = new Set(known.map((key) => key.type));
  const offered = EVERY_ALGORITHM.filter((algorithm) =>
    types.has(algorithm.startsWith('rsa-') ? 'ssh-rsa' : algorithm),
  );
  return offered.length > 0 ? offered : EVERY_ALGORITHM;
}

function matches(names: string, hostName: string): boolean {
  if (names.startsWith('|1|')) return matchesHash(names, hostName);
  let matched = false;
  for (const name of names.split(',')) {
    const negated = name.startsWith('!');
    if (!wildcard(negated ? name.slice(1) : name, hostName)) continue;
    if (negated) return false;
    matched = true;
  }
  return matched;
}

function matchesHash(name: string, hostName: string): boolean {
  const [, , salt, hash] = name.split('|');
  if (salt === undefined || hash === undefined) return false;
  return createHmac('sha1', Buffer.from(salt, 'base64')).update(hostName).digest('base64') === hash;
}

function wildcard(pattern: string, hostName: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern.toLowerCase() === hostName;
  const source = pattern.toLowerCase().replaceAll(/[.+^${}()|[\]\\]/g, String.raw`\$&`);
  return new RegExp(`^${source.replaceAll(/\*+/g, '.*').replaceAll('?', '.')}$`).test(hostName);
}
