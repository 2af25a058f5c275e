import { X509Certificate, randomBytes } from 'node:crypto';
import { generate } from 'selfsigned';
import ssh2 from 'ssh2';

/** Every secret and identity of one lab, made anew each time. */
export interface LabKeys {
  readonly user: SshKeyPair;
  readonly servers: readonly ServerKeys[];
  readonly bmcPassword: string;
  readonly token: string;
}

export interface ServerKeys {
  readonly host: SshKeyPair;
  readonly certificate: Certificate;
}

/** The keys of a lab with so many servers: a few milliseconds each. */
export async function makeKeys(count: number): Promise<LabKeys> {
  const each = Array.from({ length: count }, async (_, index) => ({
    host: sshKeyPair('neap-lab-host'),
    certificate: await certificate(`bmc-${index + 1}`),
  }));
  return { user: sshKeyPair('neap-lab'), servers: await Promise.all(each), bmcPassword: secret(), token: secret() };
}

export interface SshKeyPair {
  readonly privateKey: string;
  /** As in an authorized_keys file: type and base64. */
  readonly publicKey: string;
}

/** Tries for one key; a bad one comes about once in 256. */
const KEY_TRIES = 50;

/** A new ed25519 pair. ssh2 makes an unreadable one now and then, so both halves are read back first. */
function sshKeyPair(comment: string): SshKeyPair {
  for (let tries = 0; tries < KEY_TRIES; tries += 1) {
    const { private: privateKey, public: publicKey } = ssh2.utils.generateKeyPairSync('ed25519', { comment });
    const readable = [privateKey, publicKey].every((key) => !(ssh2.utils.parseKey(key) instanceof Error));
    if (readable) return { privateKey, publicKey };
  }
  throw new Error(`no readable SSH key in ${KEY_TRIES} tries`);
}

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** SHA-256 of the certificate: upper case, colons. */
  readonly fingerprint: string;
}

/** A self-signed certificate for 127.0.0.1, on a P-256 key: RSA keys would take most of a lab's start. */
async function certificate(commonName: string): Promise<Certificate> {
  const pair = await generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  });
  return { key: pair.private, cert: pair.cert, fingerprint: new X509Certificate(pair.cert).fingerprint256 };
}

/** A secret of 144 bits, in letters that need no quoting. */
function secret(): string {
  return randomBytes(18).toString('base64url');
}
