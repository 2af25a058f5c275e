import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tellParent } from '../../../src/engine/parent.ts';

// `orphan.ts FILE` starts itself once more and ends; the second one was too busy to see that, tells its parent what it
// has to tell, and writes to FILE that it went on.

const [file = '', part] = process.argv.slice(2);
if (part === 'child') {
  // As a process that the machine has no time for.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
  tellParent({ ready: true });
  setTimeout(() => writeFileSync(file, 'it went on'), 100);
} else {
  spawn(process.execPath, [fileURLToPath(import.meta.url), file, 'child'], {
    detached: true,
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  setTimeout(() => process.kill(process.pid, 'SIGKILL'), 300);
}
