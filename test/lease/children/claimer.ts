/** A process of its own that claims the same servers as others do, again and again, and prints what it was given. */
import { openSmallDatabase } from '../../../src/journal/index.ts';
import { localClaims, openLocalStore } from '../../../src/lease/index.ts';
import { wish } from '../wishes.ts';

const [directory = '', run = '', rounds = '1'] = process.argv.slice(2);
const store = openLocalStore(await openSmallDatabase(localClaims.path(directory), localClaims), Date.now);
const servers = ['f/api-1', 'f/api-2', 'f/api-3'];
const granted: { epoch: number; alone: boolean }[] = [];
for (let round = 0; round < Number(rounds); round += 1) {
  const answer = await store.claim(wish(run, servers));
  if (!answer.granted) continue;
  const held = await store.holdings();
  granted.push({
    epoch: answer.epoch,
    alone: held.length === 1 && held.every((each) => each.run === run && each.epoch === answer.epoch),
  });
  await store.release(run, answer.epoch);
}
process.stdout.write(JSON.stringify(granted));
