import type { Draw } from './draws.ts';
import type { Kernel } from './kernel.ts';
import type { Service } from './service.ts';
import type { Stream } from './stream.ts';
import { withTimeout } from './timeout.ts';

export interface HealthRules {
  /** Time between two checks of one server. */
  readonly everyMs: Draw;
  /** A check that has no answer by then has failed. */
  readonly timeoutMs: number;
  /** So many failed checks in a row take a server out, so many good ones bring it back. */
  readonly fall: number;
  readonly rise: number;
}

/**
 * A balancer: sends each request to one of the servers that are in, at random, and checks each by a request of its
 * own. Where none is in it refuses. `serversIn` says how many are in.
 */
export function balanced(
  kernel: Kernel,
  servers: readonly Service[],
  { stream, health }: { readonly stream: Stream; readonly health?: HealthRules },
): { readonly ask: Service; readonly serversIn: () => number } {
  const inside = servers.map(() => true);
  const serversIn = (): number => inside.filter(Boolean).length;
  if (health !== undefined) {
    for (const [server, service] of servers.entries()) {
      watch(kernel, service, { stream, health, tell: (good) => void (inside[server] = good) });
    }
  }
  const ask: Service = (key, done) => {
    let skip = Math.floor(stream.draw() * serversIn());
    const service = servers.find((_, server) => inside[server] === true && skip-- === 0);
    if (service === undefined) done('refused');
    else service(key, done);
  };
  return { ask, serversIn };
}

/** Checks one server for ever, and tells when it falls or rises. */
function watch(
  kernel: Kernel,
  service: Service,
  rules: { readonly stream: Stream; readonly health: HealthRules; readonly tell: (good: boolean) => void },
): void {
  const { stream, health, tell } = rules;
  const check = withTimeout(kernel, health.timeoutMs, service).ask;
  let [good, otherwise] = [true, 0];
  const next = (): void =>
    void kernel.after(health.everyMs(stream), () =>
      check(0, (outcome) => {
        otherwise = (outcome === 'served') === good ? 0 : otherwise + 1;
        if (otherwise >= (good ? health.fall : health.rise)) {
          good = !good;
          otherwise = 0;
          tell(good);
        }
        next();
      }),
    );
  next();
}
