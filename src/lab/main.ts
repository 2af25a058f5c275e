import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { awaitAnswers } from './answers.ts';
import { startLab } from './lab.ts';
import type { LabFile, LabReport } from './lab-file.ts';
import { labOptionsSchema } from './options.ts';

/**
 * The process of one lab. Its one argument is the path of a JSON file with its options. It reports to whoever started
 * it when every server answers, or why it could not start, and lives until SIGINT, SIGTERM or its `down` command.
 */
const optionsFile = process.argv[2] ?? '';

try {
  const options = labOptionsSchema.parse(JSON.parse(readFileSync(optionsFile, 'utf8')));
  const file = join(dirname(optionsFile), 'lab.json');
  const end = (): void => {
    rmSync(file, { force: true });
    lab.close();
    process.exit(0);
  };
  // The answer to `down` is on its way first.
  const lab = await startLab(options, () => setImmediate(end));
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
  // Who looked at the lab from a terminal may close it; the lab outlives that.
  process.on('SIGHUP', () => {});
  await awaitAnswers(lab);
  const about: LabFile = {
    name: options.name,
    pid: process.pid,
    fleetFile: lab.fleetFile,
    controlUrl: lab.controlUrl,
    servers: options.servers,
    scenario: options.scenario,
    timeLapse: options.timeLapse,
  };
  writeFileSync(file, `${JSON.stringify(about, null, 2)}\n`, { mode: 0o600 });
  report({ ready: true });
} catch (error) {
  report({ ready: false, why: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
  setImmediate(() => process.exit(1));
}

function report(message: LabReport): void {
  if (process.connected) process.send?.(message, () => process.disconnect?.());
  else if (!message.ready) process.stderr.write(`${message.why}\n`);
}
