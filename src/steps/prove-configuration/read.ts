import type { Server } from '../../model/index.ts';
import type { Reader, StepContext } from '../../ports/index.ts';
import type { ConfigurationFacts } from './decide.ts';

/** What the server has and what its process holds, beside what is expected; and both contents where they may be shown. */
export async function readConfiguration(
  server: Server,
  read: Reader,
  { expected }: StepContext,
): Promise<ConfigurationFacts & { readonly shown: { path: string; found: string; wanted: string }[] }> {
  if (expected.length === 0) return { expected: [], files: [], running: [], shown: [] };
  const files = await read.files(expected.map((file) => file.path));
  const running = server.service.configuration ? parseRunning(await read.ask('running')) : [];
  const shown = expected.flatMap(({ path, sha256, text, show }) => {
    const found = files.find((file) => file.path === path);
    return show && text !== null && found?.text != null && found.sha256 !== sha256
      ? [{ path, found: found.text, wanted: text }]
      : [];
  });
  return {
    shown,
    expected: expected.map(({ path, sha256, mode, owner }) => ({ path, sha256, mode, owner })),
    files: files.map(({ path, sha256, mode, owner }) => ({ path, sha256, mode, owner })),
    running: running.filter((held) => expected.some((file) => file.path === held.path)),
  };
}

/** Lines of `sha256  path`, as sha256sum prints them; other lines are not about files. */
function parseRunning(text: string): { path: string; sha256: string }[] {
  return text.split('\n').flatMap((line) => {
    const match = /^([0-9a-f]{64})\s+(\/\S.*)$/.exec(line.trim());
    return match?.[1] && match[2] ? [{ sha256: match[1], path: match[2] }] : [];
  });
}
