import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import { openScene } from '../support/scene.ts';

// Goal: a run watched on a terminal asks its gates there, answers nothing by accident, survives the terminal's changes
// and the view's end, and leaves the tree and the outcome behind.
// Method: the real command in a real pseudo-terminal; keys go in, and what stands on the screen is read.

vi.setConfig({ testTimeout: 240_000 });

interface Terminal extends Disposable {
  /** Types text as it is; `enter` and `interrupt` are keys. */
  type(keys: string): void;
  /** With tmux what stands on the screen now, with `script` everything that was ever written. */
  screen(): string;
  resize(columns: number, rows: number): void;
  /** Lines that left the screen at its top; 0 where that is not known. */
  scrolled(): number;
}

const LAUNCHER = fileURLToPath(new URL('../../bin/neap', import.meta.url));
const ENTER = '\r';
const INTERRUPT = '\u0003';
const has = (program: string): boolean => spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
const kind = has('tmux') ? 'tmux' : has('script') ? 'script' : null;

function openTerminal(stateDir: string, command: string): Terminal {
  return kind === 'tmux' ? inTmux(stateDir, command) : inScript(stateDir, command);
}

function inTmux(stateDir: string, command: string): Terminal {
  const socket = `neap-test-${randomBytes(4).toString('hex')}`;
  const tmux = (...words: string[]): string =>
    execFileSync('tmux', ['-L', socket, '-f', '/dev/null', ...words], { encoding: 'utf8' });
  // What is left on the screen stays until the terminal is closed.
  tmux(
    'new-session',
    '-d',
    '-x',
    '80',
    '-y',
    '24',
    '-e',
    `NEAP_STATE_DIR=${stateDir}`,
    '-e',
    'LANG=C.UTF-8',
    `${command}; echo "exit code was $?"; cat`,
  );
  tmux('set-option', '-g', 'status', 'off');
  return {
    type: (keys) => void tmux('send-keys', '-H', ...[...Buffer.from(keys)].map((byte) => byte.toString(16))),
    screen: () => tmux('capture-pane', '-p', '-S', '-200'),
    resize: (columns, rows) => void tmux('resize-window', '-x', String(columns), '-y', String(rows)),
    scrolled: () => Number(tmux('display-message', '-p', '#{history_size}')),
    [Symbol.dispose]: () => void spawnSync('tmux', ['-L', socket, 'kill-server']),
  };
}

function inScript(stateDir: string, command: string): Terminal {
  const env = { ...process.env, NEAP_STATE_DIR: stateDir, LANG: 'C.UTF-8', TERM: 'xterm' };
  const child = spawn(
    'script',
    ['-q', '-c', `stty cols 80 rows 24; ${command}; echo "exit code was $?"; cat`, '/dev/null'],
    { env, stdio: ['pipe', 'pipe', 'ignore'] },
  );
  let written = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (written += text));
  return {
    type: (keys) => void child.stdin.write(keys),
    screen: () => stripVTControlCharacters(written),
    resize: () => undefined,
    scrolled: () => 0,
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

async function shows(terminal: Terminal, what: RegExp, forMs = 120_000): Promise<string> {
  const untilMs = Date.now() + forMs;
  for (;;) {
    const screen = terminal.screen();
    if (what.test(screen)) return screen;
    if (Date.now() > untilMs) throw new Error(`the screen never showed ${what}:\n${screen}`);
    await wait(50);
  }
}

/** As long as a person needs at the least, in real milliseconds. */
const READING_MS = 1_000;

test.skipIf(kind === null)(
  `a run in a pseudo-terminal of ${kind ?? 'tmux or script, of which neither is installed'}`,
  async () => {
    await using scene = await openScene();
    const lab = await scene.lab({ servers: 4, timeLapse: 15 });
    const plan = await scene.plan(lab);
    using terminal = openTerminal(scene.stateDir, `${LAUNCHER} run ${plan} --yes`);

    // A gate, with its figures; Enter alone answers nothing, and a key that the tree does not know leaves no trace.
    await shows(terminal, /Gate 10: Hardware work may start\?[\s\S]*Fuse \d+ s[\s\S]*choose an answer/);
    terminal.type(ENTER);
    await shows(terminal, /This line is no answer/);
    terminal.resize(60, 18);
    if (kind === 'tmux') await shows(terminal, /step 10 of 16, about \d+ s[^\n]*…$/m);
    terminal.resize(100, 30);
    if (kind === 'tmux') await shows(terminal, /is the fuse long enough\? {9,}4 of 4/);
    await shows(terminal, /❯ choose an answer/);

    // Ctrl-C inside the prompt, and once more: the view goes, the run does not.
    terminal.type(INTERRUPT);
    await shows(terminal, /4 of 4 servers offline[\s\S]*❯ back[\s\S]*detach[\s\S]*halt[\s\S]*abort/);
    terminal.type(INTERRUPT);
    const left = await shows(terminal, /exit code was 0/);
    expect(left).toMatch(/Detached: run \S+ goes on by itself[\s\S]*neap attach/);
    // What scrolled away is at most the one frame that the narrower terminal broke, and the tree stays once.
    expect(terminal.scrolled()).toBeLessThan(24);
    // Only tmux tells what stands on the screen.
    const trees = kind === 'tmux' ? left.match(/16 {2}give traffic/g) : ['one'];
    expect(trees).toHaveLength(1);

    // Another view: it answers, sees the gate to its end, and what somebody else answers takes its prompt away.
    using second = openTerminal(scene.stateDir, `${LAUNCHER} attach`);
    await shows(second, /Gate 10:[\s\S]*choose an answer/);
    // What is typed before the question can have been read answers nothing; then a person reads, and answers.
    second.type(`y${ENTER}`);
    await shows(second, /can have been read[\s\S]*❯ choose an answer/);
    await wait(READING_MS);
    second.type(`y${ENTER}`);
    await shows(second, /Gate 11: Hardware work done\?[\s\S]*choose an answer/);
    const { run } = JSON.parse((await scene.neap('status', '--json')).stdout) as { run: string };
    expect((await scene.neap('approve', run, '11', 'yes', '--reason', 'from elsewhere')).code).toBe(0);
    const end = await shows(second, /exit code was 0/);
    expect(end).toMatch(
      /✔ 11 {2}Hardware work done\? .*yes, by[\s\S]*✔ 16 {2}give traffic .*4 of 4[\s\S]*Done\.[\s\S]*Journal {2}\S+[\s\S]*neap report/,
    );
  },
);
