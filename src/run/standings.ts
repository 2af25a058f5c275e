import type { Guard } from '../model/index.ts';
import type { RunEvent } from './events.ts';
import type { PlanIndex } from './lines.ts';
import type { Page } from './pages.ts';
import type { RunState, Turn } from './state.ts';
import { duration, guardWords } from './words.ts';

/** How a guard stands, as its latest transition said. */
export function noteGuard(state: RunState, event: Extract<RunEvent, { type: 'guard' }>): RunState {
  const { guard, standing, positive, onsetAtMs, seen } = event;
  return { ...state, guards: { ...state.guards, [guard]: { standing, positive, onsetAtMs, seen } } };
}

/** Whether a person decided that risk goes on in spite of this guard. */
export function isOverridden({ overrides }: RunState, guard: string): boolean {
  return overrides.some((each) => each.class === 'guard' && each.about === guard);
}

/** The first of these guards that a reading, not silence, has tripped, and that nobody has overridden. */
export function trippedOf(state: RunState, guards: readonly Guard[]): Guard | null {
  return (
    guards.find(({ id }) => {
      const stands = state.guards[id];
      return stands?.standing === 'trip' && stands.positive && !isOverridden(state, id);
    }) ?? null
  );
}

/** The way home, where a tripped guard is declared to start it. */
export function guardTurn(state: RunState, { plan }: PlanIndex): Turn | null {
  const guard = trippedOf(
    state,
    plan.header.guards.filter(({ onTrip }) => onTrip === 'home'),
  );
  return guard && { code: 'guard', why: guardWords(state, guard) };
}

/** One page for each time that a guard trips or falls silent. */
export function guardPages(state: RunState, { plan }: PlanIndex): Page[] {
  return plan.header.guards.flatMap((guard): Page[] => {
    const stands = state.guards[guard.id];
    if (stands?.standing !== 'trip' && stands?.standing !== 'no-data') return [];
    const words = guardWords(state, guard);
    const text = `Run ${state.run}: ${words}. ${consequence(state, guard, stands.standing)} See: neap status ${state.run}`;
    return [{ key: `guard/${guard.id}/${stands.onsetAtMs}`, text }];
  });
}

function consequence(state: RunState, guard: Guard, standing: 'trip' | 'no-data'): string {
  if (state.mode === 'home') return 'The run is on its way home, and goes on with that.';
  if (isOverridden(state, guard.id)) return 'It was overridden: risk goes on.';
  if (standing === 'trip' && guard.onTrip === 'home') return 'The run turns for home.';
  const begins =
    standing === 'trip' && typeof guard.onTrip === 'object'
      ? ` Contingency ${guard.onTrip.contingency} stands ready for this.`
      : '';
  return `Nothing more is taken until it is clear for ${duration(guard.clearForMs)}; then the run goes on by itself, or at once by: neap override ${state.run} guard ${guard.id} --reason WHY.${begins}`;
}
