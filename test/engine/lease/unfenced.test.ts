import { expect, test } from 'vitest';
import { mayGoUnfenced } from '../../../src/engine/lease/unfenced.ts';
import type { Aspect, Server } from '../../../src/model/index.ts';
import { paperFleet } from '../../support/fleet.ts';

const [overSsh] = paperFleet({ servers: 1 }).servers;
if (overSsh === undefined) throw new Error('a fleet has servers');
const put = { send: 'http://balancer.test/api-1', method: 'PUT' } as const;
const overHttp: Server = {
  ...overSsh,
  service: { ...overSsh.service, traffic: { ...overSsh.service.traffic!, in: put, out: put } },
};

test.each([
  ['traffic', overSsh, true],
  ['traffic', overHttp, false],
  ['offline', overHttp, true],
  ['config', overHttp, true],
  ['path', overHttp, true],
  ['cache', overHttp, true],
  ['power', overSsh, false],
] as const)('while the store is lost a step that alters %s may go on only over SSH', (aspect: Aspect, server, may) => {
  expect(mayGoUnfenced({ lost: true }, server, { alters: [aspect] }).holds).toBe(may);
  expect(mayGoUnfenced({ lost: false }, server, { alters: [aspect] }).holds).toBe(true);
});
