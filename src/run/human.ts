import { endOf } from './outcome.ts';
import type { PlanIndex } from './lines.ts';
import type { Page } from './pages.ts';
import type { RunState } from './state.ts';

/** A run that would end with a state that nobody can vouch for says so to a person before it is closed. */
export function humanPage(state: RunState, index: PlanIndex): Page[] {
  const end = endOf(state, index);
  if (end?.outcome !== 'human') return [];
  return [
    {
      key: 'human',
      text: `Run ${state.run} ends and needs a person: ${end.summary} Look at every server that is named; see: neap status ${state.run}`,
    },
  ];
}
