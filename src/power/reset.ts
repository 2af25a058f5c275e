import { setTimeout as wait } from 'node:timers/promises';
import { z } from 'zod';
import { POLL_MS, SETTLE_MS } from './limits.ts';
import type { BmcAnswer } from './pinned.ts';
import { bmcFailure } from './pinned.ts';
import type { BmcTarget, System } from './system.ts';
import { get, ownPath, refuseBadStatus } from './system.ts';

/** Whether the system offers a hard reset: in one command, or as off and on. An offer that is not told counts as one. */
export function canReset(system: System): boolean {
  return system.reset !== null && wayOf(system.reset.allowed) !== null;
}

/**
 * Sends one hard reset to a system that is on: ForceRestart where that is offered, else ForceOff, seen off, then On.
 * Never a graceful one: this is for a server that hangs. Resolves when the BMC took it, which proves nothing yet.
 */
export async function sendHardReset(target: BmcTarget, read: () => Promise<System>): Promise<void> {
  const system = await read();
  const way = system.reset === null ? null : wayOf(system.reset.allowed);
  if (system.reset === null || way === null) {
    throw bmcFailure(
      target.where,
      `the BMC at ${target.bmc.url} offers no hard reset`,
      'No reset was sent',
      `Give ${target.bmc.user} the right to it, or reset the server by hand`,
    );
  }
  if (system.power !== 'On') {
    throw bmcFailure(
      target.where,
      `the BMC says that its power is ${system.power}, not On`,
      'No reset was sent',
      'Only a server that is on and hangs is reset; look at it by its console',
    );
  }
  const action = system.reset.target;
  if (way === 'restart') return post(target, action, 'ForceRestart');
  await post(target, action, 'ForceOff');
  await untilOff(target, read);
  await post(target, action, 'On');
}

function wayOf(allowed: readonly string[] | null): 'restart' | 'off-on' | null {
  if (allowed === null || allowed.includes('ForceRestart')) return 'restart';
  return allowed.includes('ForceOff') && allowed.includes('On') ? 'off-on' : null;
}

async function post(target: BmcTarget, action: string, type: 'ForceRestart' | 'ForceOff' | 'On'): Promise<void> {
  const answer = await target.request('POST', ownPath(target, action), { ResetType: type });
  refuseBadStatus(target, 'POST', action, answer);
  if (answer.status === 202 && answer.location !== null) await untilTaskEnds(target, answer.location, type);
}

const taskSchema = z.object({ TaskState: z.string().optional() });
const TASK_FAILED = ['Exception', 'Killed', 'Cancelled', 'Interrupted'];

/** A task monitor answers 202 while the task runs (DSP0266, "Asynchronous operations"), then with its outcome. */
async function untilTaskEnds(target: BmcTarget, monitor: string, type: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < SETTLE_MS; waitedMs += POLL_MS) {
    const answer: BmcAnswer = await get(target, monitor);
    const state = taskSchema.safeParse(answer.body).data?.TaskState;
    if (answer.status >= 400 || (state !== undefined && TASK_FAILED.includes(state))) {
      throw bmcFailure(
        target.where,
        `the BMC at ${target.bmc.url} took ${type} and could not do it`,
        'The server may or may not have been reset',
        'Look at the power state and the log of the BMC',
      );
    }
    if (answer.status !== 202) return;
    await wait(POLL_MS);
  }
  // It was accepted; the boot ID tells whether it was done.
}

async function untilOff(target: BmcTarget, read: () => Promise<System>): Promise<void> {
  for (let waitedMs = 0; waitedMs < SETTLE_MS; waitedMs += POLL_MS) {
    // A BMC that is busy with the power may miss a read: only seeing it off counts.
    if ((await read().catch(() => null))?.power === 'Off') return;
    await wait(POLL_MS);
  }
  throw bmcFailure(
    target.where,
    `the BMC at ${target.bmc.url} took ForceOff, and the power is not off after ${SETTLE_MS} ms`,
    'The server may be off or about to be',
    'Look at it by its console; when it is off, switch it on',
  );
}
