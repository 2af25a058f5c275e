import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Due, Kernel, Stream } from '../../../src/herd/des/index.ts';

test('events happen in the order of their time, and of one time in the order in which they were asked for', () => {
  fc.assert(
    fc.property(fc.array(fc.nat(20), { maxLength: 60 }), (times) => {
      const kernel = new Kernel();
      const happened: [number, number][] = [];
      for (const [order, atMs] of times.entries()) kernel.at(atMs, () => happened.push([kernel.nowMs, order]));
      kernel.drain(1_000);
      const expected = times
        .map((atMs, order) => [atMs, order])
        .sort(([a = 0, i = 0], [b = 0, j = 0]) => a - b || i - j);
      expect(happened).toEqual(expected);
    }),
  );
});

test('what is cancelled does not happen, however much else is pending', () => {
  const kernel = new Kernel();
  const stream = new Stream(7, 'times');
  const dues: { readonly due: Due; readonly atMs: number; readonly kept: boolean }[] = [];
  const happened: number[] = [];
  for (let at = 0; at < 5_000; at += 1) {
    const atMs = stream.draw() * 1_000;
    dues.push({ due: kernel.at(atMs, () => happened.push(atMs)), atMs, kept: stream.happens(0.2) });
  }
  for (const { due, kept } of dues) if (!kept) kernel.cancel(due);
  const kept = dues.filter((one) => one.kept);
  expect(kernel.pending).toBe(kept.length);
  kernel.runUntil(2_000);
  expect(happened).toEqual(kept.map(({ atMs }) => atMs).sort((a, b) => a - b));
  expect(kernel.happened).toBe(kept.length);
  // Too late: it has happened.
  for (const { due } of dues) kernel.cancel(due);
  expect(kernel.pending).toBe(0);
});

test('time passes as far as it is told, and never back', () => {
  const kernel = new Kernel();
  const seen: number[] = [];
  kernel.after(10, () => kernel.after(5, () => seen.push(kernel.nowMs)));
  kernel.runUntil(14);
  expect([kernel.nowMs, ...seen]).toEqual([14]);
  kernel.runUntil(15);
  expect(seen).toEqual([15]);
  expect(() => kernel.at(14, () => undefined)).toThrow('too late');
  expect(() => kernel.after(Number.NaN, () => undefined)).toThrow(RangeError);
});

test('a world that never rests is given up', () => {
  const kernel = new Kernel();
  const again = (): void => void kernel.after(0, again);
  again();
  expect(() => kernel.drain(100)).toThrow('after 100');
});

test('a stream is the same for the same seed and name, and another for another', () => {
  const some = (seed: number, name: string): readonly number[] => {
    const stream = new Stream(seed, name);
    return Array.from({ length: 5 }, () => stream.draw());
  };
  expect(some(1, 'a')).toEqual(some(1, 'a'));
  const all = [...some(1, 'a'), ...some(1, 'b'), ...some(2, 'a'), ...some(0, 'a'), ...some(-1, 'a')];
  expect(new Set(all).size).toBe(all.length);
});

test('streams of neighbouring seeds and names are even and do not follow each other', () => {
  const count = 20_000;
  const [one, two] = [new Stream(1, 'arrivals'), new Stream(2, 'arrivals')];
  let [sum, product] = [0, 0];
  for (let at = 0; at < count; at += 1) {
    const [a, b] = [one.draw(), two.draw()];
    sum += a + b;
    product += (a - 0.5) * (b - 0.5);
  }
  // Five deviations: 1/sqrt(12) for a draw, 1/12 for a product.
  expect(Math.abs(sum / (2 * count) - 0.5)).toBeLessThan(5 / Math.sqrt(12 * 2 * count));
  expect(Math.abs(product / count)).toBeLessThan(5 / (12 * Math.sqrt(count)));
});
