import { hostname, userInfo } from 'node:os';
import type { Plan } from '../model/index.ts';
import { FailureError } from '../model/index.ts';
import { keyFingerprint, openAddressBook } from '../transport/index.ts';
import type { Config } from './config.ts';
import { loadFleet } from './load.ts';
import type { Order } from './runs.ts';

/** Whom a run must answer for, as its order and its journal keep it. */
export type Answerable = Pick<Order, 'by' | 'user' | 'host' | 'key' | 'ticket'>;

/** A ticket is a word or a line that people search for, in UTF-16 code units. */
const TICKET_MAX = 200;

/**
 * The ticket that a run is asked for with: trimmed, null where none is needed. Throws FailureError when the
 * configuration wants one, or when it is no plain line of text.
 */
export function ticketFor({ ticket: wanted }: Pick<Config, 'ticket'>, given: string | undefined): string | null {
  const ticket = given?.trim() ?? '';
  if (ticket === '') {
    if (wanted === 'optional' && given === undefined) return null;
    const what =
      given === undefined ? 'every run must name a ticket (ticket: required in neap.config.ts)' : 'the ticket is empty';
    throw noTicket(what, 'Name it: --ticket OPS-1234');
  }
  if (ticket.length > TICKET_MAX || /\p{C}/u.test(ticket))
    throw noTicket(
      'the ticket is no plain line of text',
      `Give at most ${TICKET_MAX} characters, with no control characters`,
    );
  return ticket;
}

/**
 * Who asks for a run on this machine. The key is the one that the plan's first server is logged in to with; null
 * where that cannot be told, which stops nobody: the engine says itself why it cannot log in.
 */
export async function answerable(plan: Plan, cwd: string, ticket: string | null): Promise<Answerable> {
  const user = userInfo().username;
  return { by: user, user, host: hostname(), key: await keyFor(plan, cwd), ticket };
}

async function keyFor(plan: Plan, cwd: string): Promise<string | null> {
  try {
    const { value: fleet } = await loadFleet(plan.header.fleet.path, cwd);
    const first = plan.slices[0]?.servers[0]?.name;
    const server = fleet.servers.find(({ name }) => name === first);
    return server === undefined ? null : await keyFingerprint(await openAddressBook(fleet).addressOf(server));
  } catch (error) {
    if (error instanceof FailureError) return null;
    throw error;
  }
}

/**
 * An order for whoever is given the run's export: who is answerable, and where its claims and copies were kept. What
 * could hold a secret (a pager's command, an address) is told by its kind only.
 */
export function orderForOthers(order: Order): { readonly [name: string]: string | boolean | null } {
  const { run, by, host, user, key, ticket, unattended, page, lease, journal } = order;
  return {
    run,
    by,
    host,
    user,
    key,
    ticket,
    unattended,
    page: page === null ? null : 'command',
    lease: typeof lease === 'string' ? lease : 'postgres',
    mirror: journal.mirror ?? null,
    anchor: journal.anchor?.to ?? null,
  };
}

function noTicket(what: string, remedy: string): FailureError {
  return new FailureError({ kind: 'condition', what, where: 'neap.config.ts', state: 'Nothing was started', remedy });
}
