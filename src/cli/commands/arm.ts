import { userInfo } from 'node:os';
import { usage } from '../usage.ts';
import { liveSession, placeFor } from './control.ts';

export interface ArmOptions {
  readonly only?: string;
  readonly reason: string;
}

/** `neap arm`: asks a run's engine to begin a contingency, by its id or title. 0: it begins. */
export async function arm(run: string, contingency: string, { only, reason }: ArmOptions): Promise<number> {
  if (reason.trim() === '') throw usage('--reason is empty', 'Say why: it stands in the journal');
  const session = await liveSession(await placeFor(run));
  const servers = only === undefined ? null : only.split(',').map((name) => name.trim());
  const by = userInfo().username;
  const refused = await session.ask({ ask: 'arm', contingency, only: servers, by, reason });
  session.close();
  if (refused !== null) throw usage(refused, `See: neap status ${session.place.run}`);
  process.stdout.write(
    `Contingency ${contingency} of run ${session.place.run} begins. Watch it: neap attach ${session.place.run}\n`,
  );
  return 0;
}
