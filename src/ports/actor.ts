import type { Effect, RunEvent } from '../run/index.ts';

/** Effects that are made on servers and their balancer; the others (gates, pages) are the host's own. */
export type ServerEffect = Extract<Effect, { place: unknown } | { effect: 'diagnose' | 'count' | 'shed' }>;

/** Makes one effect happen and gives what became of it. Never rejects: whatever a server does is an outcome. */
export interface Actor {
  act(effect: ServerEffect): Promise<RunEvent>;
}
