import { settingsOf, settingsText, type Knobs, type Settings } from './knobs.ts';
import type { Outcome } from './outcome.ts';

/** An incident or a plan, told in several ways: as it was, and as it would have been with one thing changed. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** Who published what is known of it. */
  readonly source: string;
  /** What the source says, and the model is held to. */
  readonly facts: readonly string[];
  /** What no source says, and was chosen. */
  readonly chosen: readonly string[];
  readonly knobs: Knobs;
  /** Its cases with some knobs changed, and all knobs as they stand then. Throws KnobError. */
  readonly told: (whatIf: readonly string[]) => {
    readonly settings: readonly string[];
    readonly cases: readonly Case[];
  };
}

/** Makes a scenario out of its parts; what its cases are given has the types of its knobs. */
export function scenario<K extends Knobs>(
  parts: Omit<Scenario, 'knobs' | 'told'> & {
    readonly knobs: K;
    readonly cases: (settings: Settings<K>) => readonly Case[];
  },
): Scenario {
  const { cases, ...rest } = parts;
  return {
    ...rest,
    told(whatIf) {
      const settings = settingsOf(parts.knobs, whatIf);
      return { settings: settingsText(parts.knobs, settings), cases: cases(settings) };
    },
  };
}

/** One way of telling it. */
export interface Case {
  readonly name: string;
  /** What is different in this one, for somebody who knows the first. */
  readonly what: string;
  /** Not begun at all, and why. */
  readonly refused?: readonly string[];
  /** Tells it; to its end, or only until then, and finer. */
  readonly run: (seed: number, untilMs?: number) => Outcome;
  /** What happens until then is worth a closer look. */
  readonly closeUpMs?: number;
}
