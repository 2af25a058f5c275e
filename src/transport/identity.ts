import { readFile } from 'node:fs/promises';
import type { AuthenticationType, IdentityCallback, NextAuthHandler, ParsedKey } from 'ssh2';
import ssh2 from 'ssh2';
import type { SshTarget } from './target.ts';

/** One way to log in, and what to call it in a message. Never the key itself. */
export interface Login {
  readonly label: string;
  readonly method:
    | { readonly type: 'publickey'; readonly username: string; readonly key: Buffer }
    | { readonly type: 'agent'; readonly username: string; readonly agent: string | ssh2.BaseAgent };
}

/**
 * The ways to log in, in order: identity files, then the agent. A file that does not exist is passed over in silence,
 * as ssh does; one with a passphrase is named, so that a refusal can say why it did not help.
 */
export async function loginsOf(
  target: SshTarget,
): Promise<{ readonly logins: readonly Login[]; readonly tried: readonly string[] }> {
  const logins: Login[] = [];
  const tried: string[] = [];
  for (const file of target.identityFiles) {
    const key = await readFile(file).catch(() => null);
    if (key === null) continue;
    if (isPrivateKey(key)) {
      logins.push({ label: file, method: { type: 'publickey', username: target.user, key } });
      tried.push(file);
    } else if (target.agent === null)
      tried.push(`${file}, which neap cannot read: it has a passphrase (then use an agent) or is no private key`);
  }
  if (target.agent !== null) {
    const agent = target.identitiesOnly ? new ChosenKeys(target.agent, await publicKeys(target)) : target.agent;
    logins.push({ label: 'the agent', method: { type: 'agent', username: target.user, agent } });
    tried.push(`the agent at ${target.agent}`);
  }
  return { logins, tried };
}

/** Walks through the logins; ssh2 asks for the next one after each refusal. */
export function authHandler(
  logins: readonly Login[],
): (left: AuthenticationType[], partial: boolean, next: NextAuthHandler) => unknown {
  const rest = [...logins];
  // ssh2 takes a returned `false` for the end of the list, which its types do not say.
  return () => rest.shift()?.method ?? false;
}

function isPrivateKey(content: Buffer): boolean {
  const key = parseSshKey(content);
  return key !== null && key.isPrivateKey();
}

async function publicKeys(target: SshTarget): Promise<readonly Buffer[]> {
  const files = target.identityFiles.flatMap((file) => (file.endsWith('.pub') ? [file] : [`${file}.pub`, file]));
  const contents = await Promise.all(files.map((file) => readFile(file).catch(() => null)));
  return contents.flatMap((content) =>
    content === null ? [] : [parseSshKey(content)?.getPublicSSH() ?? Buffer.alloc(0)],
  );
}

/** The first key of a file, private or public; null when it holds none, or only with a passphrase. */
export function parseSshKey(content: Buffer): ParsedKey | null {
  // A file of two keys parses to an array, although the types do not say so.
  const [key] = [ssh2.utils.parseKey(content)].flat();
  return key === undefined || key instanceof Error ? null : key;
}

/** An agent of which only some keys are shown: a server counts every key that is tried (MaxAuthTries). */
class ChosenKeys extends ssh2.OpenSSHAgent {
  readonly #chosen: readonly Buffer[];

  constructor(socketPath: string, chosen: readonly Buffer[]) {
    super(socketPath);
    this.#chosen = chosen;
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    super.getIdentities((error, keys) => {
      if (error) callback(error);
      else
        callback(
          undefined,
          keys?.filter(
            (key) => 'getPublicSSH' in key && this.#chosen.some((chosen) => chosen.equals(key.getPublicSSH())),
          ) ?? [],
        );
    });
  }
}
