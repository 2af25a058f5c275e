import type { Service } from './service.ts';

/**
 * Lets so many requests through at once and refuses the rest at once: a pool of connections, or the limit of what a
 * server takes. A place is free again with the answer, so a timeout belongs behind the cap, or nothing ever frees one
 * that hangs.
 */
export function withCap(limit: number, service: Service): Service {
  let inside = 0;
  return (key, done) => {
    if (inside >= limit) {
      done('refused');
      return;
    }
    inside += 1;
    service(key, (outcome) => {
      inside -= 1;
      done(outcome);
    });
  };
}
