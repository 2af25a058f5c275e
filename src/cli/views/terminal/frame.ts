import type { Machine, RunState } from '../../../run/index.ts';
import type { Begun } from './begun.ts';
import { fit, leastLines, type Shown } from './fit.ts';
import { footLines, type FootInput } from './foot.ts';
import { groupsOf } from './rows.ts';

export interface FrameInput extends FootInput {
  readonly begun: Begun;
  /** How many lines there are, an open prompt's aside. Infinity: the whole tree, and nothing below it. */
  readonly height: number;
}

/** The free line at the bottom, and the one between the tree and what stands below it. */
const SPACING = 2;
/** Signs, their indentation, and two columns that listr2 leaves free. */
const MARGIN = 4;

/** What a screen of that size shows of a run: what stands below the tree takes what it needs, the tree gets the rest. */
export function frameOf(
  state: RunState,
  machine: Machine,
  input: FrameInput,
): { readonly rows: readonly Shown[]; readonly foot: readonly string[] } {
  const width = input.columns - MARGIN;
  const room = input.height - SPACING;
  const groups = groupsOf(state, machine, input.begun, input.nowMs, width);
  const { whole, bare } = leastLines(groups);
  const limits = { room: room - whole, utmost: room - bare };
  const foot = input.height === Infinity ? [] : footLines(state, machine, { ...input, columns: width }, limits);
  return { rows: fit(groups, room - foot.length), foot };
}
