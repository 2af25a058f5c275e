import type { Hands, WriteName } from '../../ports/index.ts';
import { afterMs, FenceRefused, httpSend } from '../../transport/index.ts';
import { writeCall } from './calls.ts';
import { openFence } from './fence.ts';
import { fillSeconds } from './field.ts';
import { putFile, restoreFile } from './files.ts';
import type { Lane } from './lane.ts';
import { failedOn, quoted } from './lane.ts';
import { FENCE_ASK_MS, FENCE_WAIT_MS, WRITE_TIMEOUT_MS } from './limits.ts';

/**
 * What changes one server. Everything is sent once: whether it took effect is for a Reader to see. What goes over SSH
 * is checked by the server's own fence. A balancer and a BMC can check nothing: there the store of claims is asked
 * right before, and for a balancer the server itself where it answers; that leaves the moment between the answer and
 * the request to an engine that is stopped just then.
 */
export function openHands(lane: Lane): Hands {
  return {
    call: (name, fill) => call(lane, name, fill?.seconds),
    putFile: (file) => putFile(lane, file),
    restoreFile: (file) => restoreFile(lane, file),
    hardReset: async () => {
      const power = lane.power();
      await lane.shared.guard?.ask();
      lane.report('bmc', 'hard reset', true);
      await power.hardReset();
      lane.drop();
    },
  };
}

async function call(lane: Lane, name: WriteName, seconds: number | undefined): Promise<void> {
  const listed = writeCall(lane.server, name);
  const timeoutMs = listed.timeoutMs ?? WRITE_TIMEOUT_MS;
  if ('run' in listed) {
    const command = filled(lane, name, listed.run, seconds);
    const ran = await lane.run(command, { timeoutMs, become: listed.become === true, writes: true });
    if (ran.code === 0) return;
    throw failedOn(
      lane,
      'command',
      `${name} ended with ${ran.signal ?? `exit ${String(ran.code)}`}: ${quoted(lane, ran.stderr === '' ? ran.stdout : ran.stderr)}`,
      'It ran, and may have changed something before it failed',
      `Look at it there; it ran: ${quoted(lane, command)}`,
    );
  }
  const url = filled(lane, name, listed.send, seconds);
  const body =
    listed.body === undefined ? undefined : fill(lane, name, () => fillSeconds(listed.body ?? null, seconds));
  await askFirst(lane);
  lane.report('http', `${listed.method} ${url}`, true);
  const answer = await httpSend(listed.method, url, body, { where: lane.server.name, timeoutMs });
  if (answer.status >= 200 && answer.status < 300) return;
  throw failedOn(
    lane,
    'command',
    `${name} was answered with HTTP ${answer.status}: ${quoted(lane, answer.body)}`,
    'It was refused, and may have changed something before',
    'Ask the address by hand and compare with the fleet',
  );
}

/** Asks the store, and the server's own fence: an engine that was overridden learns of it there. A silent server keeps nobody from taking it out. */
async function askFirst(lane: Lane): Promise<void> {
  const { guard } = lane.shared;
  if (guard === null) return;
  await guard.ask();
  const asked = openFence(lane, guard).claim(FENCE_WAIT_MS);
  await withinMs(FENCE_ASK_MS, asked).catch((error: unknown) => {
    if (error instanceof FenceRefused && error.standing !== 'busy') throw error;
  });
}

function filled(lane: Lane, name: WriteName, text: string, seconds: number | undefined): string {
  const whole = fill(lane, name, () => fillSeconds(text, seconds));
  return typeof whole === 'string' ? whole : text;
}

function fill<T>(lane: Lane, name: WriteName, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw failedOn(
      lane,
      'internal',
      `${name} cannot be filled in: ${error instanceof Error ? error.message : 'unknown'}`,
      'Nothing was sent to it',
      'Take {seconds} out of the call in the fleet; if it belongs there, this is a defect of neap: please report it',
    );
  }
}

/** Waits for it so long, and then no longer; what it says later is nobody's concern. */
function withinMs(ms: number, work: Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const cancel = afterMs(ms, resolve);
    work.then(resolve, reject).finally(cancel);
  });
}
