import type { Reader, Vitals } from '../../ports/index.ts';
import { afterMs } from '../../transport/index.ts';
import type { Lane } from './lane.ts';
import { VITALS_TIMEOUT_MS } from './limits.ts';

/**
 * Who sees the server alive, all asked at the same time. Any answer is life: a refused login and an HTTP 500 come
 * from a machine that is not hung. Never throws; what has not answered in time is silent.
 */
export async function readVitals(lane: Lane, read: Pick<Reader, 'ask' | 'get'>): Promise<Vitals> {
  const { server, shared } = lane;
  const { traffic, probes } = server.service;
  const [ssh, http, balancer, power, control] = await Promise.all([
    inTime(lane.answers(VITALS_TIMEOUT_MS).then(word), 'silent' as const),
    server.url === undefined
      ? null
      : inTime(
          read
            .get(probes.health.path, {
              timeoutMs: VITALS_TIMEOUT_MS,
              ...(probes.health.headers === undefined ? {} : { headers: probes.health.headers }),
            })
            .then(() => 'answers' as const),
          'silent' as const,
        ),
    traffic === undefined ? null : inTime(read.ask('traffic-health').then(balancerWord), 'unknown' as const),
    server.bmc === undefined ? null : inTime(readPower(lane), 'Unknown' as const),
    inTime(shared.control(), 'silent' as const),
  ]);
  return { ssh, http, balancer, power, control };
}

async function readPower(lane: Lane): Promise<NonNullable<Vitals['power']>> {
  lane.report('bmc', 'read the power state', false);
  return (await lane.power().read()).state;
}

/** The value, or what stands for silence when it fails or comes late. */
async function inTime<T, S>(value: Promise<T>, silence: S): Promise<T | S> {
  let cancel = (): void => undefined;
  const late = new Promise<S>((resolve) => (cancel = afterMs(VITALS_TIMEOUT_MS, () => resolve(silence))));
  try {
    return await Promise.race([value.catch(() => silence), late]);
  } finally {
    cancel();
  }
}

function word(answers: boolean): 'answers' | 'silent' {
  return answers ? 'answers' : 'silent';
}

function balancerWord(answer: string): 'up' | 'down' | 'unknown' {
  return answer === 'up' || answer === 'down' ? answer : 'unknown';
}
