import { describe, expect, test } from 'vitest';
import * as checkServer from '../../src/steps/check-server/decide.ts';
import * as cutPath from '../../src/steps/cut-path/decide.ts';
import * as hardReset from '../../src/steps/hard-reset/decide.ts';
import * as offlineMode from '../../src/steps/offline-mode/decide.ts';
import * as probe from '../../src/steps/probe/decide.ts';
import * as proveConfiguration from '../../src/steps/prove-configuration/decide.ts';
import * as proveFuse from '../../src/steps/prove-fuse/decide.ts';
import * as refreshCaches from '../../src/steps/refresh-caches/decide.ts';
import * as traffic from '../../src/steps/traffic/decide.ts';
import type { Vitals } from '../../src/ports/index.ts';

test.each([
  ['off', true, 'change'],
  ['on', true, 'nothing'],
  ['on', false, 'change'],
  ['off', false, 'nothing'],
] as const)('offline mode %s, wanted %s: %s', (offline, on, verdict) => {
  const to = on ? 'on' : 'off';
  expect(offlineMode.decide({ offline }, { on })).toMatchObject(
    verdict === 'change' ? { verdict, change: { from: offline, to } } : { verdict },
  );
});

test.each([
  ['in', 'out', 'change'],
  ['out', 'out', 'nothing'],
  ['out', 'in', 'change'],
  [null, 'out', 'nothing'],
] as const)('traffic %s, wanted %s: %s', (now, to, verdict) => {
  expect(traffic.decideTraffic(to, { traffic: now }).verdict).toBe(verdict);
});

test('a path that is cut already is not cut again: whose cut that is nobody knows', () => {
  expect(cutPath.decide({ path: 'cut' }, { from: 'database', forMs: 1_000 })).toMatchObject({ verdict: 'refused' });
  expect(cutPath.decide({ path: 'open' }, { from: 'database', forMs: 1_001 })).toMatchObject({
    change: { dependency: 'database', forMs: 1_001 },
    diff: [expect.stringContaining('after 2 s')],
  });
});

test('refreshing is of every clock, and of nothing where there is none', () => {
  expect(refreshCaches.decide({ clocks: [] })).toEqual({ verdict: 'nothing' });
  expect(refreshCaches.decide({ clocks: ['a', 'b'] })).toMatchObject({ change: { refresh: ['a', 'b'] } });
});

test.each([
  [{ power: 'On', canReset: true, bmcFault: null }, 'nothing'],
  [{ power: null, canReset: null, bmcFault: null }, 'nothing'],
  [{ power: 'On', canReset: false, bmcFault: null }, 'refused'],
  [{ power: 'Off', canReset: true, bmcFault: null }, 'refused'],
  [{ power: 'Unknown', canReset: true, bmcFault: null }, 'refused'],
  [{ power: null, canReset: null, bmcFault: 'login failed' }, 'refused'],
])('check server: %o is %s', (facts, verdict) => {
  expect(checkServer.decide(facts).verdict).toBe(verdict);
});

describe('hung', () => {
  const HUNG: Vitals = { ssh: 'silent', http: 'silent', balancer: 'down', power: 'On', control: 'answers' };

  test('is who SSH, health, balancer and BMC agree on, with the control targets answering', () => {
    expect(hardReset.conditionOf(HUNG)).toBe('hung');
    expect(hardReset.conditionOf({ ...HUNG, http: null })).toBe('hung');
  });

  test.each<[Partial<Vitals>, string]>([
    [{ ssh: 'answers' }, 'alive'],
    [{ http: 'answers' }, 'alive'],
    [{ balancer: 'up' }, 'silent'],
    [{ balancer: 'unknown' }, 'silent'],
    [{ balancer: null }, 'silent'],
    [{ power: 'Off' }, 'silent'],
    [{ power: 'PoweringOn' }, 'silent'],
    [{ power: 'Unknown' }, 'silent'],
    [{ power: null }, 'silent'],
    [{ control: 'silent' }, 'silent'],
    [{ control: null }, 'silent'],
  ])('%o is %s: any one of them is enough to leave power alone', (but, condition) => {
    expect(hardReset.conditionOf({ ...HUNG, ...but })).toBe(condition);
  });

  test('only the hung are reset; the BMC’s own record is part of the change', () => {
    const facts = { seen: 'x', lastResetAt: '2021-02-01T00:00:00Z' };
    expect(hardReset.decide({ ...facts, condition: 'alive' }).verdict).toBe('nothing');
    expect(hardReset.decide({ ...facts, condition: 'silent' }).verdict).toBe('refused');
    expect(hardReset.decide({ ...facts, condition: 'hung' })).toMatchObject({
      change: { reset: 'hard', lastResetAt: facts.lastResetAt },
    });
  });
});

describe('configuration', () => {
  const FILE = { path: '/etc/a', sha256: 'a'.repeat(64), mode: '0644', owner: 'root:root' };
  const PROVEN = {
    expected: [FILE],
    files: [FILE],
    running: [{ path: FILE.path, sha256: FILE.sha256 }],
    shown: [],
    traffic: 'in' as const,
  };
  const wish = { mend: true, againAfterMs: 0 };

  test('is proven when file, mode, owner and the running process are as declared', () => {
    expect(proveConfiguration.decide(PROVEN, wish).verdict).toBe('nothing');
    expect(proveConfiguration.decide({ ...PROVEN, expected: [], files: [], running: [] }, wish).verdict).toBe(
      'nothing',
    );
  });

  test('a file that the fleet marks show is shown line by line, and what could act on a terminal is not', () => {
    const shown = [{ path: FILE.path, found: 'a\nold\nc\n', wanted: 'a\nnew\u001b[2J\nc\nd\n' }];
    const decided = proveConfiguration.decide({ ...PROVEN, files: [{ ...FILE, sha256: 'b'.repeat(64) }], shown }, wish);
    if (decided.verdict !== 'change') throw new Error(decided.verdict);
    expect(decided.diff).toEqual(expect.arrayContaining(['/etc/a, line by line:', '  - old', '  + new?[2J', '  + d']));
    expect(decided.diff.join()).not.toContain('- a');
    expect(JSON.stringify(decided.change)).not.toContain('old');
  });

  test.each([
    ['another content', { files: [{ ...FILE, sha256: 'b'.repeat(64) }] }, 1],
    ['another mode', { files: [{ ...FILE, mode: '0600' }] }, 1],
    ['another owner', { files: [{ ...FILE, owner: 'api:api' }] }, 1],
    ['no file', { files: [] }, 1],
    ['an absent file', { files: [{ ...FILE, sha256: 'absent' }] }, 1],
    ['a right file and an old process', { running: [{ path: FILE.path, sha256: 'b'.repeat(64) }] }, 0],
    ['a right file that the process does not hold', { running: [] }, 0],
  ])('%s is mended, out of traffic, and reloaded', (_what, but, files) => {
    const decided = proveConfiguration.decide({ ...PROVEN, ...but }, wish);
    if (decided.verdict !== 'change') throw new Error(decided.verdict);
    expect(decided.change).toMatchObject({ quarantine: true, reload: true });
    expect(decided.change.files).toHaveLength(files);
    expect(proveConfiguration.decide({ ...PROVEN, ...but, traffic: 'in' }, { ...wish, mend: false }).verdict).toBe(
      'refused',
    );
  });

  test('who has no traffic is not taken out of it', () => {
    expect(proveConfiguration.decide({ ...PROVEN, running: [], traffic: null }, wish)).toMatchObject({
      change: { quarantine: false },
    });
  });
});

describe('the fuse is judged on what is left', () => {
  const clock = (leftMs: number, whenExpired = 'fatal') => ({
    name: 'sessions',
    whenExpired,
    ageMs: 200_000 - leftMs,
    ttlMs: 200_000,
  });

  test.each([
    [[clock(140_001)], true],
    [[clock(140_000)], false],
    [[clock(180_000), clock(1_000)], false],
    [[clock(1_000, 'stale-served'), clock(1_000, 'not-needed')], true],
    [[], true],
    [[clock(-5_000)], false],
  ])('%j holds: %s', (clocks, holds) => {
    expect(proveFuse.judge({ clocks }, { outageMs: 120_000, marginMs: 20_000 }).holds).toBe(holds);
  });
});

describe('probes', () => {
  const good = { name: 'anonymous', status: 200, tookMs: 5, withinMs: 2_000, fault: null };

  test.each([
    [[good], true],
    [[good, { ...good, status: 399 }], true],
    [[good, { ...good, status: 503 }], false],
    [[{ ...good, tookMs: 2_001 }], false],
    [[{ ...good, status: 0, fault: 'silence' }], false],
  ])('%j holds: %s', (probes, holds) => {
    expect(probe.judge({ probes }).holds).toBe(holds);
  });
});
