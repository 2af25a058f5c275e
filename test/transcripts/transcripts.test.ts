import { expect, test } from 'vitest';
import { STORIES } from './stories.ts';
import { tell } from './teller.ts';

// Goal: the most telling stories of a run, written out to be read, stay what they are: who changes the machine sees in the
// difference what becomes of them. Method: each is told anew and held against its file (`npx vitest -u` writes it); its
// end is demanded besides, and the promises are held against every event on the way.

test.for(STORIES.map((story) => [story.name, story] as const))('%s', async ([name, story]) => {
  const { text } = await tell(story);
  await expect(text).toMatchFileSnapshot(`./${name}.txt`);
});

test('there are thirty of them, each with a name of its own', () => {
  expect(new Set(STORIES.map(({ name }) => name)).size).toBe(STORIES.length);
  expect(STORIES.length).toBeGreaterThanOrEqual(30);
});
