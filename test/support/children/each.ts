import { main } from '../../../src/cli/main.ts';

// Runs one command line after another in one process, for tests of what needs no process of its own: starting Node and
// loading neap is most of what such a command costs. In: JSON on standard input, a list of command lines. Out: JSON, a
// list of what each left.

const said = { stdout: '', stderr: '' };
const show = process.stdout.write.bind(process.stdout);
for (const name of ['stdout', 'stderr'] as const) {
  const stream = process[name];
  // `main` looks after both streams anew each time.
  stream.setMaxListeners(0);
  stream.write = (text: string | Uint8Array) => {
    said[name] += typeof text === 'string' ? text : Buffer.from(text).toString();
    return true;
  };
}

let given = '';
for await (const part of process.stdin.setEncoding('utf8')) given += part as string;
const ran: object[] = [];
for (const words of JSON.parse(given) as readonly string[][]) {
  Object.assign(said, { stdout: '', stderr: '' });
  const code = await main(words);
  ran.push({ code, ...said });
}
show(JSON.stringify(ran));
