import { FailureError, type Condition, type Need, type Server } from '../model/index.ts';
import type { Reader, StepContext } from '../ports/index.ts';
import { readClocks } from './clocks.ts';
import { readConfiguration } from './prove-configuration/read.ts';
import { differences } from './prove-configuration/decide.ts';

/**
 * Whether something that must be true before a step is true of this server now. What cannot be read is an unmet need,
 * with its reason, if the server itself answers. Throws FailureError if it does not: whoever is hung is not waited for.
 */
export async function checkNeed(need: Need, server: Server, read: Reader, context: StepContext): Promise<Condition> {
  try {
    switch (need.need) {
      case 'answers':
        return await checkAnswers(need.dependency, server, read);
      case 'converged': {
        const found = differences(await readConfiguration(server, read, context));
        return found.length === 0
          ? { holds: true }
          : { holds: false, why: `its configuration is not proven: ${found[0]}` };
      }
      case 'warm': {
        // Of what cannot be read nobody waits to see it.
        const clocks = await readClocks(server, read, context.nowMs, context.known);
        const cold = clocks.find((clock) => !clock.unknown && clock.ageMs >= clock.ttlMs);
        return cold ? { holds: false, why: `its ${cold.name} is not warm` } : { holds: true };
      }
    }
  } catch (error) {
    if (!(error instanceof FailureError)) throw error;
    await demandAnswer(error, read);
    return { holds: false, why: error.failure.what };
  }
}

async function checkAnswers(dependency: string, server: Server, read: Reader): Promise<Condition> {
  const names = dependency === '*' ? Object.keys(server.service.dependencies) : [dependency];
  for (const name of names) {
    try {
      await read.ask(`answers:${name}`);
    } catch (error) {
      if (!(error instanceof FailureError)) throw error;
      await demandAnswer(error, read);
      return { holds: false, why: `the ${name} does not answer from it (${error.failure.what})` };
    }
  }
  return { holds: true };
}

/** A command that ran and said no came from a server that answers; for anything else the server is asked for its boot. */
async function demandAnswer({ failure }: FailureError, read: Reader): Promise<void> {
  if (failure.kind !== 'command') await read.bootId();
}
