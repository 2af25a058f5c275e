import type { ServingJudge } from '../model/index.ts';
import { connectionFindings, connectionsOf } from './serving-connections.ts';
import { loadFindings, loadOf, restartsAllowed } from './serving-load.ts';

/** What the compiler judges load and connections by. */
export const servingJudge: ServingJudge = {
  restartsAllowed,
  load(facts) {
    const of = loadOf(facts);
    return of === null ? null : { of, findings: loadFindings(facts, of) };
  },
  connections(facts) {
    const of = connectionsOf(facts);
    return of === null ? null : { of, findings: connectionFindings(facts, of) };
  },
};
