import type { Planted } from './engine.ts';
import type { Shape } from './shape.ts';
import { simulate, SimulationFailed } from './simulate.ts';

/** How many runs a shrinking may cost. */
const TRIES_MAX = 400;

/**
 * The least world that still breaks the same promise: fewer mishaps, no faults, people who answer well, fewer servers.
 * Every part of a seed's world has a chance of its own, so what is left out changes nothing of the rest.
 */
export async function shrink(failed: SimulationFailed, planted: Planted = {}): Promise<SimulationFailed> {
  let least = failed;
  for (let tries = 0, better = true; better;) {
    better = false;
    for (const smaller of smallerThan(least.shape)) {
      tries += 1;
      if (tries > TRIES_MAX) return least;
      const again = await attempt(smaller, planted);
      if (again?.promise !== failed.promise) continue;
      least = again;
      better = true;
      break;
    }
  }
  return least;
}

async function attempt(shape: Shape, planted: Planted): Promise<SimulationFailed | null> {
  try {
    await simulate(shape, planted);
    return null;
  } catch (error) {
    if (error instanceof SimulationFailed) return error;
    throw error;
  }
}

function* smallerThan(shape: Shape): Generator<Shape> {
  const { mishaps } = shape;
  if (mishaps.length > 1) {
    yield { ...shape, mishaps: [] };
    yield { ...shape, mishaps: mishaps.slice(0, mishaps.length / 2) };
    yield { ...shape, mishaps: mishaps.slice(mishaps.length / 2) };
  }
  for (const each of mishaps) yield { ...shape, mishaps: mishaps.filter((other) => other !== each) };
  if (shape.faults > 0) yield { ...shape, faults: 0 };
  if (shape.people) yield { ...shape, people: false };
  if (shape.guards) yield { ...shape, guards: false };
  if (shape.commitMs > 0) yield { ...shape, commitMs: 0 };
  for (const servers of [3, Math.floor(shape.servers / 2), shape.servers - 1])
    if (servers >= 3 && servers < shape.servers) yield { ...shape, servers };
  if (shape.mirror) yield { ...shape, mirror: false };
  if (shape.freezes.length > 0) yield { ...shape, freezes: [] };
  if (shape.opensAtMs !== null) yield { ...shape, opensAtMs: null };
  if (shape.closesAtMs !== null) yield { ...shape, closesAtMs: null };
  if (shape.domains > 1) yield { ...shape, domains: 1 };
}
