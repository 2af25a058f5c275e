import { openSmallDatabase } from '../../journal/index.ts';
import { localClaims, openLocalStore, openPostgresStore, openSshStore } from '../../lease/index.ts';
import { FailureError, type Fleet } from '../../model/index.ts';
import type { LeaseStore } from '../../ports/index.ts';
import { createPace, openAddressBook, openJumps, openShell, redactor, shellWords } from '../../transport/index.ts';
import { wallClockMs } from '../clock.ts';
import type { Config } from '../config.ts';
import { openSecrets } from '../reach/secrets.ts';

/** Claims of fifty thousand servers, as they come from a host. */
const CLAIMS_BYTES = 4 * 1024 * 1024;

/** Where claims are kept and whom they guard, as a plan says it. */
export function leaseOf(setting: Config['lease']): { store: string; guards: 'this machine only' | 'all operators' } {
  if (setting === 'local') return { store: 'local', guards: 'this machine only' };
  return { store: typeof setting === 'string' ? setting : `postgres (${setting.postgres})`, guards: 'all operators' };
}

/** The host and the directory of `ssh:HOST` or `ssh:HOST:/path`. */
export function claimsHost(setting: `ssh:${string}`): { readonly host: string; readonly directory: string } {
  const [, host = '', directory = ''] = /^ssh:(.+?)(?::(\/.*))?$/.exec(setting) ?? [];
  return { host, directory };
}

/** The store of claims that a configuration names. Contacts nobody yet. Rejects with FailureError where it cannot be used. */
export async function openLease(
  setting: Config['lease'],
  stateDir: string,
  fleet: Pick<Fleet, 'sshConfig' | 'servers'>,
): Promise<LeaseStore> {
  if (setting === 'local')
    return openLocalStore(await openSmallDatabase(localClaims.path(stateDir), localClaims), wallClockMs);
  if (typeof setting !== 'string') {
    const redact = redactor([]);
    const secrets = openSecrets(redact);
    return openPostgresStore(() => secrets.resolve(setting.postgres));
  }
  const { host, directory } = claimsHost(setting);
  const target = await openAddressBook(fleet).addressOf({ name: host, ssh: 'openssh' });
  const named = fleet.servers.find(
    ({ name, ssh }) => name === host || (ssh !== 'openssh' && ssh.host === target.host && ssh.port === target.port),
  );
  if (named) throw onServer(host, named.name);
  const jumps = openJumps();
  const shell = openShell(target, { jumps, pace: createPace(1), outputBytes: CLAIMS_BYTES });
  const close = (): void => {
    shell.close();
    jumps.close();
  };
  return openSshStore({ host, directory, shell: { ...shell, close }, quote: shellWords });
}

/** The store would go away with the servers that it speaks of. */
export function onServer(host: string, server: string): FailureError {
  return new FailureError({
    kind: 'condition',
    what: `the store of claims would lie on ${server}, a server of this fleet: it would go away with it`,
    where: `lease ssh:${host}`,
    state: 'Nothing was contacted',
    remedy: 'Name a host in `lease` of neap.config.ts that no run works on',
  });
}
