import { lookup } from 'node:dns/promises';
import type { Fleet } from '../model/index.ts';
import { openAddressBook } from '../transport/index.ts';
import { eachAtOnce } from './at-once.ts';

/** So many addresses are looked up at a time. */
const LOOK_UP_AT_ONCE = 8;

/**
 * Which of the fleet's servers a host of the SSH configuration is, by name or by network address; null: none of them.
 * What a run must be able to rely on while its servers are away (its mirror, its store of claims) may not be one.
 * Rejects with FailureError where the configuration cannot be read.
 */
export async function targetAt(fleet: Pick<Fleet, 'servers' | 'sshConfig'>, host: string): Promise<string | null> {
  const addresses = openAddressBook(fleet);
  const own = await addresses.addressOf({ name: host, ssh: 'openssh' });
  const at = await addressesOf(own.host);
  let found: string | null = null;
  await eachAtOnce(fleet.servers, LOOK_UP_AT_ONCE, async (server) => {
    const target = await addresses.addressOf(server).catch(() => null);
    const theirs = target === null ? [] : await addressesOf(target.host);
    // Many servers on the loopback are told apart by their ports.
    const same = theirs.some((each) => at.includes(each)) && (!isLoopback(at) || target?.port === own.port);
    if (server.name === host || same) found ??= server.name;
  });
  return found;
}

function isLoopback(addresses: readonly string[]): boolean {
  return addresses.every((address) => address.startsWith('127.') || address === '::1');
}

async function addressesOf(host: string): Promise<readonly string[]> {
  try {
    return (await lookup(host, { all: true })).map(({ address }) => address);
  } catch {
    return [host];
  }
}
