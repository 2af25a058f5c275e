import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import type { Bmc } from '../model/index.ts';
import type { PowerFacts } from '../ports/index.ts';
import { READ_ATTEMPTS, READ_WAIT_MS } from './limits.ts';
import type { BmcAnswer, BmcRequest } from './pinned.ts';
import { bmcFailure, stateAfter } from './pinned.ts';

/** One BMC, and who asks. */
export interface BmcTarget {
  readonly bmc: Bmc;
  readonly where: string;
  readonly request: BmcRequest;
}

/** What a BMC says of its system. */
export interface System {
  readonly power: PowerFacts['state'];
  readonly lastResetAt: string | null;
  /** The reset action's address, and what it takes; null where it does not tell. */
  readonly reset: { readonly target: string; readonly allowed: readonly string[] | null } | null;
}

const link = z.object({ '@odata.id': z.string() });
const rootSchema = z.object({ Systems: link });
const collectionSchema = z.object({ Members: z.array(link) });
const actionInfoSchema = z.object({
  Parameters: z.array(z.object({ Name: z.string(), AllowableValues: z.array(z.string()).optional() })),
});
const systemSchema = z.object({
  PowerState: z.string().nullish(),
  LastResetTime: z.string().nullish(),
  Actions: z
    .object({
      '#ComputerSystem.Reset': z
        .object({
          target: z.string(),
          'ResetType@Redfish.AllowableValues': z.array(z.string()).optional(),
          '@Redfish.ActionInfo': z.string().optional(),
        })
        .optional(),
    })
    .nullish(),
});

/** The address of the one system that this BMC stands for. Several members demand `bmc.system`: a guess could reset a neighbour. */
export async function findSystem(target: BmcTarget): Promise<string> {
  const root = await read(target, '/redfish/v1/', rootSchema);
  const { Members } = await read(target, root.Systems['@odata.id'], collectionSchema);
  const paths = Members.map((member) => member['@odata.id']);
  const wanted = target.bmc.system;
  const fitting = wanted === undefined ? paths : paths.filter((path) => path === wanted || idOf(path) === wanted);
  const [only] = fitting;
  if (only !== undefined && fitting.length === 1) return only;
  const names = paths.map(idOf).filter((id) => /^[\w.:-]{1,64}$/.test(id));
  const what =
    paths.length === 0
      ? 'knows no system, as BMCs do while they boot'
      : `${wanted === undefined ? `has ${paths.length} systems` : `has no system ${wanted}`}: ${names.join(', ')}`;
  throw bmcFailure(
    target.where,
    `the BMC at ${target.bmc.url} ${what}`,
    stateAfter('GET'),
    paths.length === 0 ? 'Try again in two minutes' : 'Name the right one as bmc.system in the fleet',
  );
}

/** Reads the system at that address. */
export async function readSystem(target: BmcTarget, path: string): Promise<System> {
  const system = await read(target, path, systemSchema);
  const action = system.Actions?.['#ComputerSystem.Reset'];
  return {
    power: powerState(system.PowerState),
    lastResetAt: system.LastResetTime ?? null,
    reset:
      action === undefined
        ? null
        : {
            target: action.target,
            allowed:
              action['ResetType@Redfish.AllowableValues'] ??
              (await allowedByInfo(target, action['@Redfish.ActionInfo'])),
          },
  };
}

async function allowedByInfo(target: BmcTarget, path: string | undefined): Promise<readonly string[] | null> {
  if (path === undefined) return null;
  const info = await read(target, path, actionInfoSchema);
  return info.Parameters.find((parameter) => parameter.Name === 'ResetType')?.AllowableValues ?? null;
}

function powerState(text: string | null | undefined): PowerFacts['state'] {
  return text === 'On' || text === 'Off' || text === 'PoweringOn' || text === 'PoweringOff' ? text : 'Unknown';
}

function idOf(path: string): string {
  return path.replace(/\/+$/, '').split('/').at(-1) ?? '';
}

async function read<T>(target: BmcTarget, path: string, schema: z.ZodType<T>): Promise<T> {
  const answer = await get(target, path);
  refuseBadStatus(target, 'GET', path, answer);
  const parsed = schema.safeParse(answer.body);
  if (parsed.success) return parsed.data;
  throw bmcFailure(
    target.where,
    `the BMC at ${target.bmc.url} answered ${shown(path)} with what is not Redfish`,
    stateAfter('GET'),
    `Look at it by hand: curl -k -u ${target.bmc.user} ${target.bmc.url}${shown(path)}`,
  );
}

/** A GET, tried again while the BMC says that it is busy. */
export async function get(target: BmcTarget, path: string): Promise<BmcAnswer> {
  const own = ownPath(target, path);
  for (let attempt = 1; ; attempt += 1) {
    const answer = await target.request('GET', own);
    if ((answer.status !== 429 && answer.status < 500) || attempt === READ_ATTEMPTS) return answer;
    await wait(Math.min(Math.max(answer.retryAfterMs ?? 0, READ_WAIT_MS.least), READ_WAIT_MS.most));
  }
}

/** An address from the BMC, as a path on this very BMC: the password goes nowhere else. */
export function ownPath(target: BmcTarget, path: string): string {
  const url = URL.canParse(path, target.bmc.url) ? new URL(path, target.bmc.url) : null;
  if (url !== null && url.origin === new URL(target.bmc.url).origin) return url.pathname + url.search;
  throw bmcFailure(
    target.where,
    `the BMC at ${target.bmc.url} points to another host`,
    'Nothing was sent there',
    'Look at the BMC: it may not be what it seems',
  );
}

const errorSchema = z.object({
  error: z.object({
    '@Message.ExtendedInfo': z.array(z.object({ MessageId: z.string().regex(/^[\w.]{1,100}$/) })).min(1),
  }),
});

/** Throws `denied` or `bmc` unless the status is a good one. Of the BMC's own words only the message's id is shown. */
export function refuseBadStatus(target: BmcTarget, method: 'GET' | 'POST', path: string, answer: BmcAnswer): void {
  if (answer.status >= 200 && answer.status < 300) return;
  const { where, bmc } = target;
  const id = errorSchema.safeParse(answer.body).data?.error['@Message.ExtendedInfo'][0]?.MessageId;
  const said = `${answer.status}${id === undefined ? '' : `, ${id}`}`;
  if (answer.status === 401)
    throw bmcFailure(
      where,
      `the BMC at ${bmc.url} refused the login of ${bmc.user} (${said})`,
      'Nothing was changed',
      `Check the password behind ${bmc.password.split(':')[0] ?? ''}: in the fleet, and whether the account is locked`,
      'denied',
    );
  if (answer.status === 403)
    throw bmcFailure(
      where,
      `the BMC at ${bmc.url} does not allow ${bmc.user} this (${method} ${shown(path)}: ${said})`,
      'Nothing was changed',
      `Give ${bmc.user} the role Operator on the BMC`,
      'denied',
    );
  throw bmcFailure(
    where,
    `the BMC at ${bmc.url} answered ${said} to ${method} ${shown(path)}`,
    stateAfter(method),
    method === 'GET'
      ? 'Try again when it is less busy; if that lasts, restart the BMC itself'
      : 'Look at the power state before anything is sent again',
  );
}

function shown(path: string): string {
  return path.replaceAll(/[^\w/.~:@-]/g, '').slice(0, 200);
}
