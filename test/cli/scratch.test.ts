import { test } from 'vitest';
import { openScene, SHORT } from '../support/scene.ts';
test('x', async () => {
  await using scene = await openScene();
  const lab = await scene.lab({});
  const plan = await scene.neap('plan', 'database-upgrade', '--fleet', lab.fleet, ...SHORT, '--json');
  const { commands } = JSON.parse(plan.stdout);
  const rec = await lab.record();
  const g: Record<string, number> = {};
  for (const c of commands) { const k = `N ${c.how} ${c.command}`; g[k] = (g[k]??0)+1; }
  for (const c of rec) { const k = `L ${c.via} ${c.what}`; g[k] = (g[k]??0)+1; }
  console.log(g);
  const u = await scene.run('database-upgrade', '--fleet', lab.fleet, ...SHORT, '--unattended');
  const s = await u.until((state) => state.tracks[0]!.cursor === 9);
  console.log(s.tracks[0]!.cursor, (await u.ended).code);
});
