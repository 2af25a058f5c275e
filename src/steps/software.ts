import { FailureError, type RehearsedSoftware, type Server } from '../model/index.ts';
import { canonicalJson, sha256Hex } from '../plan/index.ts';
import type { Reader, StepContext } from '../ports/index.ts';

/** A version is a word or two. */
const VERSION_MAX = 200;

/**
 * Which software a server has, and with which configuration: its version as the fleet file has it read, and a digest
 * over the files that make its configuration as they lie there. What the server says it cannot tell is null; one that
 * does not answer throws FailureError.
 */
export async function readSoftware(
  { service }: Server,
  read: Reader,
  { expected }: Pick<StepContext, 'expected'>,
): Promise<RehearsedSoftware> {
  return {
    version: service.version === undefined ? null : await told(async () => firstLine(await read.ask('version'))),
    configuration:
      expected.length === 0
        ? null
        : await told(async () => {
            const files = await read.files(expected.map(({ path }) => path));
            return sha256Hex(
              canonicalJson(files.map(({ path, sha256, mode, owner }) => ({ path, sha256, mode, owner }))),
            );
          }),
  };
}

function firstLine(text: string): string | null {
  const [line = ''] = text.trim().split('\n');
  return line === '' ? null : line.slice(0, VERSION_MAX);
}

async function told<T>(work: () => Promise<T | null>): Promise<T | null> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FailureError && (error.failure.kind === 'command' || error.failure.kind === 'output'))
      return null;
    throw error;
  }
}
