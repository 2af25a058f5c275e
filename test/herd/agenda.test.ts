import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { createAgenda, dueBy, firstDueMs, NEVER, setDue } from '../../src/herd/world/agenda.ts';

test('the tree says what a list would: who is first, and who is due, in order', () => {
  const step = fc.record({ index: fc.nat(40), atMs: fc.oneof(fc.nat(1_000), fc.constant(NEVER)) });
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 41 }),
      fc.array(step, { maxLength: 60 }),
      fc.nat(1_000),
      (size, steps, nowMs) => {
        const agenda = createAgenda(size);
        const list = Array.from({ length: size }, () => 0);
        expect(dueBy(agenda, 0)).toEqual(list.map((_, index) => index));
        for (const { index, atMs } of steps) {
          setDue(agenda, index % size, atMs);
          list[index % size] = atMs;
          expect(firstDueMs(agenda)).toBe(Math.min(...list));
        }
        expect(dueBy(agenda, nowMs)).toEqual(list.flatMap((atMs, index) => (atMs <= nowMs ? [index] : [])));
      },
    ),
    { numRuns: 200 },
  );
});
