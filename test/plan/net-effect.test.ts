import { expect, test } from 'vitest';
import type { Aspect, Json } from '../../src/model/index.ts';
import { netEffect, type Judged, type Standing } from '../../src/plan/index.ts';

// Goal: of what was done to one server, only what is still there is taken back, and nothing is churned. Method: deeds
// as the kinds that ship would leave them, and how the server stands towards each now.

const CHANGES: Record<string, Json> = {
  on: { from: 'off', to: 'on' },
  off: { from: 'on', to: 'off' },
  out: { from: 'in', to: 'out' },
  in: { from: 'out', to: 'in' },
  mend: { quarantine: true, files: [], reload: true },
  a12: { package: 'a', from: 1, to: 2 },
  a23: { package: 'a', from: 2, to: 3 },
  b12: { package: 'b', from: 1, to: 2 },
};

const ALTERS: Record<string, readonly Aspect[]> = {
  on: ['offline', 'cache'],
  off: ['offline', 'cache'],
  mend: ['config', 'traffic'],
  out: ['traffic'],
  in: ['traffic'],
  reset: ['power', 'config', 'offline', 'cache', 'path'],
};

/** `mend:after`, `on:before*` (the run took it back itself), `reset:-` (no way back). */
function fates(...words: readonly string[]): string[] {
  const deeds = words.map((word, begun): Judged => {
    const [kind = '', how = ''] = word.split(':');
    const alters = ALTERS[kind] ?? ['config'];
    const stands = how.replace('*', '');
    const standing: Standing =
      stands === 'before'
        ? { stands }
        : stands === 'other'
          ? { stands, seen: ['something else'] }
          : { stands: 'after' };
    return {
      deed: {
        track: 'main',
        step: String(begun),
        server: 'api-1',
        wave: 0,
        change: CHANGES[kind] ?? null,
        begun,
        lastBegun: begun,
        proven: true,
        takenBack: how.endsWith('*'),
      },
      kind: kind === 'on' || kind === 'off' ? 'offline-mode' : /^[ab]\d/.test(kind) ? 'package' : kind,
      reads: kind === 'mend' ? ['config', 'power'] : alters,
      alters,
      noWayBack: stands.startsWith('-') ? { why: 'it cannot', whole: stands === '--' } : null,
      standing,
    };
  });
  return netEffect(deeds).map(({ fate }) => fate);
}

test('what was entered and left again is at its goal: neither is taken back', () => {
  expect(fates('on:before', 'off:after')).toEqual(['nothing', 'nothing']);
});

test('what is still there is taken back, and so is what only gave', () => {
  expect(fates('on:after')).toEqual(['take-back']);
  expect(fates('off:after')).toEqual(['take-back']);
});

test('of on, off, on: the first alone leads to where it stood', () => {
  expect(fates('on:after', 'off:before', 'on:after')).toEqual(['take-back', 'nothing', 'nothing']);
});

test('aspects that nothing else touched are judged by themselves', () => {
  expect(fates('on:before', 'off:after', 'mend:after', 'in:after')).toEqual([
    'nothing',
    'nothing',
    'take-back',
    'take-back',
  ]);
});

test('a configuration goes back the way it came, out of the balancer first', () => {
  expect(fates('out:before', 'mend:after', 'in:after')).toEqual(['take-back', 'take-back', 'take-back']);
  // Put back by hand meanwhile: then nobody leaves the balancer for it.
  expect(fates('out:before', 'mend:before', 'in:after')).toEqual(['nothing', 'nothing', 'nothing']);
});

test('a server quarantined, mended and given traffic, whose files somebody put back since, stays in the balancer', () => {
  expect(fates('mend:before', 'in:after')).toEqual(['nothing', 'nothing']);
});

test('of a configuration each part is judged by itself, and a chain of changes of one part together', () => {
  expect(fates('a12:before', 'b12:after')).toEqual(['nothing', 'take-back']);
  expect(fates('a12:before', 'a23:other', 'b12:after')).toEqual(['nothing', 'nothing', 'take-back']);
  expect(fates('a12:after', 'a23:before')).toEqual(['take-back', 'nothing']);
});

test('what was done over something without a way back stays: nobody is left out of the balancer for it', () => {
  expect(fates('mend:-', 'in:after')).toEqual(['no-way-back', 'no-way-back']);
  expect(fates('mend:-', 'a12:after')).toEqual(['no-way-back', 'take-back']);
  const recovered = ['out:before', 'reset:--', 'mend:after', 'off:after', 'in:after'];
  expect(fates(...recovered)).toEqual(['nothing', 'no-way-back', 'no-way-back', 'no-way-back', 'nothing']);
  expect(fates('off:after', 'reset:--')).toEqual(['take-back', 'no-way-back']);
});

test('what somebody changed since is drift, but where a later deed over it explains it', () => {
  expect(fates('mend:other')).toEqual(['drift']);
  expect(fates('a12:other', 'a23:after')).toEqual(['take-back', 'take-back']);
  expect(fates('a12:other', 'b12:after')).toEqual(['drift', 'take-back']);
  expect(fates('on:before', 'off:after', 'mend:other')).toEqual(['nothing', 'nothing', 'drift']);
  // Being given traffic does not account for its files.
  expect(fates('mend:other', 'in:after')).toEqual(['drift', 'take-back']);
});

test('what the run took back is at rest, and is drift when it is there again', () => {
  expect(fates('on:before*')).toEqual(['nothing']);
  expect(fates('on:after*')).toEqual(['drift']);
});
