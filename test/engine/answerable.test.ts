import { expect, test } from 'vitest';
import { orderForOthers, ticketFor } from '../../src/engine/index.ts';
import { FailureError } from '../../src/model/index.ts';

// Goal: a run that needs a ticket has one, a plain line; and what goes to others holds nothing that could be a secret.

test.each([
  ['optional', undefined, null],
  ['optional', ' OPS-7 ', 'OPS-7'],
  ['required', 'OPS-7', 'OPS-7'],
  ['required', 'Änderung 7: Datenbank', 'Änderung 7: Datenbank'],
] as const)('where it is %s, %j is %j', (ticket, given, taken) => {
  expect(ticketFor({ ticket }, given)).toBe(taken);
});

test.each([
  ['required', undefined, /every run must name a ticket/],
  ['required', '  ', /the ticket is empty/],
  ['optional', '', /the ticket is empty/],
  ['optional', 'a\u001b[2Jb', /no plain line/],
  ['optional', 'a\nb', /no plain line/],
  ['optional', 'a\u202eb', /no plain line/],
  ['optional', 'x'.repeat(201), /no plain line/],
] as const)('where it is %s, %j is refused', (ticket, given, why) => {
  expect(() => ticketFor({ ticket }, given)).toThrow(FailureError);
  expect(() => ticketFor({ ticket }, given)).toThrow(why);
});

test('an order for others names who is answerable, and no command, address or reference', () => {
  const order = orderForOthers({
    run: '2026-11-21-ab12cd',
    by: 'ada',
    host: 'bastion',
    cwd: '/home/ada/maintenance',
    unattended: false,
    page: ['notify', '--token', 's3cret'],
    user: 'ada',
    key: 'SHA256:abc',
    ticket: 'OPS-7',
    lease: { postgres: 'env:S3CRET' },
    journal: { mirror: 'ssh:backup:/srv/neap', anchor: { to: 'webhook', url: 'https://hooks.example/s3cret' } },
    freezes: [{ calendar: 'https://calendars.example/s3cret.ics' }],
    zone: 'UTC',
    overrides: [],
  });
  expect(JSON.stringify(order)).not.toMatch(/s3cret/i);
  expect(order).toMatchObject({ by: 'ada', host: 'bastion', user: 'ada', key: 'SHA256:abc', ticket: 'OPS-7' });
});
