import { clockTime, duration, shedWords, type Machine, type RunState } from '../../../run/index.ts';
import { takenOf } from './taken.ts';
import { cut, lines, paint } from './text.ts';

/**
 * The countdown, until when the database must be back, and what is done before it is over. Red once it is shorter than
 * the margin.
 */
export function fuseLines(state: RunState, machine: Machine, nowMs: number, columns: number): string[] {
  const { fuse, closed, shed, counting } = state;
  const now = { ...state, nowMs };
  const words = closed ? null : shedWords(now, machine.index);
  const isShed = shed?.wanted === 'on' && shed.phase === 'done';
  const troubled = shed !== null && shed.failure !== null;
  const color = troubled ? (['bold', 'red'] as const) : isShed ? 'yellow' : 'green';
  const shedLines =
    words === null
      ? []
      : [paint(troubled ? ['bold', 'red'] : color, cut(`${words[0]?.toUpperCase()}${words.slice(1)}`, columns))];
  // Where nothing is taken any more, nothing burns.
  if (!fuse || closed || takenOf(state, machine).length === 0) return shed === null ? [] : shedLines;
  const gate = machine.index.plan.header.steps.find((step) => step.step === 'gate' && step.fuse !== null);
  const marginMs = gate?.step === 'gate' ? (gate.fuse?.marginMs ?? 0) : 0;
  const outageMs = gate?.step === 'gate' ? (gate.fuse?.outageMs ?? 0) : 0;
  const left = fuse.expiresAtMs - nowMs;
  const where = `${fuse.clock} on ${fuse.server}`;
  if (left <= 0 && isShed)
    return [paint('yellow', cut(`FUSE BURNT DOWN ${duration(-left)} ago (${where})`, columns)), ...shedLines];
  if (left <= 0)
    return [
      ...lines(
        `FUSE BURNT DOWN ${duration(-left)} ago (${where}): answer at the edge if the database is still away`,
        columns,
        2,
      ).map((line) => paint(['bold', 'red'], line)),
      ...shedLines,
    ];
  const read = counting === null ? '' : `, read ${duration(Math.max(0, nowMs - counting.lastAtMs))} ago`;
  const text = cut(
    `FUSE ${duration(left)} (${where}${read}); database back by ${clockTime(fuse.expiresAtMs - marginMs)}`,
    columns,
  );
  return [
    paint(left < marginMs ? ['bold', 'red'] : left < outageMs + marginMs ? 'yellow' : 'green', text),
    ...shedLines,
  ];
}
