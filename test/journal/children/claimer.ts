/** A process of its own that claims the same servers as others do, again and again, and prints what it was given. */
import { openRegistry } from '../../../src/journal/index.ts';

const [directory = '', run = '', rounds = '1'] = process.argv.slice(2);
const registry = await openRegistry(directory);
const servers = ['api-1', 'api-2', 'api-3'];
const granted: { epoch: number; alone: boolean }[] = [];
for (let round = 0; round < Number(rounds); round += 1) {
  const answer = await registry.claim(run, servers, 'tester', round);
  if (!answer.granted) continue;
  const held = await registry.claims();
  granted.push({
    epoch: answer.epoch,
    alone: held.length === servers.length && held.every((claim) => claim.run === run && claim.epoch === answer.epoch),
  });
  await registry.release(run);
}
process.stdout.write(JSON.stringify(granted));
