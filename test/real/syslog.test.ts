import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, test } from 'vitest';
import { anchorSink } from '../../src/engine/anchor-sinks.ts';
import { openSecrets } from '../../src/engine/reach/secrets.ts';
import { anchorsIn } from '../../src/journal/index.ts';
import { redactor } from '../../src/transport/index.ts';

// Goal: a head told by syslog is one RFC 5424 message from which the anchor is found again, and a daemon that went away
// is noticed. Method: the machine's own logger, and a datagram socket as a syslog daemon has one. Node cannot open such a
// socket, so Python listens.

const RECEIVER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("ready", flush=True)
print(s.recv(65536).decode(), flush=True)
`;

function lacking(): readonly string[] {
  const has = (program: string, words: readonly string[], shown: string): boolean => {
    const { status, stdout } = spawnSync(program, words, { encoding: 'utf8', timeout: 10_000 });
    return status === 0 && stdout.includes(shown);
  };
  return [
    ...(has('logger', ['--version'], 'util-linux') ? [] : ['logger of util-linux (apt-get install bsdutils)']),
    ...(has('python3', ['--version'], 'Python 3') ? [] : ['python3 (apt-get install python3)']),
  ];
}

const missing = lacking();
if (missing.length > 0) process.stderr.write(`SKIPPED: syslog needs ${missing.join(', ')}\n`);

test.skipIf(missing.length > 0)('a head reaches the daemon as RFC 5424; without the daemon that is said', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'neap-syslog-'));
  const socket = join(folder, 'log');
  const redact = redactor([]);
  const sink = anchorSink('2026-11-21-ab12cd', { to: 'syslog', socket }, openSecrets(redact), redact);
  const head = { seq: 412, hash: 'c'.repeat(64) };
  const daemon = spawn('python3', ['-c', RECEIVER, socket], { stdio: ['ignore', 'pipe', 'inherit'], timeout: 30_000 });
  try {
    const lines = createInterface({ input: daemon.stdout })[Symbol.asyncIterator]();
    expect((await lines.next()).value).toBe('ready');
    expect(await sink(head, 0)).toBeNull();
    const told = String((await lines.next()).value);
    expect(told).toMatch(
      new RegExp(`^<13>1 \\d{4}-\\d\\d-\\d\\dT\\S+ \\S+ neap ${process.pid} head - head 2026-11-21-ab12cd 412:c{64}$`),
    );
    expect(anchorsIn(told, '2026-11-21-ab12cd', 'syslog')).toEqual([{ ...head, from: 'syslog' }]);
    if (daemon.exitCode === null) await once(daemon, 'exit');
    expect(await sink({ ...head, seq: 413 }, 0)).toMatch(/^logger: .*Connection refused/);
  } finally {
    daemon.kill();
    rmSync(folder, { recursive: true, force: true });
  }
});
