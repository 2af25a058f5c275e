import { userInfo } from 'node:os';
import { durationOf, instantOf, instantText, loadConfig } from '../../engine/index.ts';
import { closesAtMs } from '../../run/index.ts';
import type { Session } from '../session.ts';
import { usage } from '../usage.ts';
import { standingText } from '../views/standing.ts';
import { liveSession, placeFor } from './control.ts';

const CLASSES = ['freeze', 'fuse', 'guard', 'mirror', 'window'] as const;
type Class = (typeof CLASSES)[number];

export interface OverrideOptions {
  readonly reason: string;
  readonly zone?: string;
}

/** `neap override`: a person decides against what stops a run's risk, by name and with a reason. */
export async function override(
  run: string,
  word: string,
  about: string | undefined,
  options: OverrideOptions,
): Promise<number> {
  const overridden = CLASSES.find((each) => each === word);
  if (overridden === undefined)
    throw usage(`there is nothing called ${word} to override`, `It is one of: ${CLASSES.join(', ')}`);
  const reason = options.reason.trim();
  if (reason === '') throw usage('an override without a reason', 'Say why, in --reason: it stands in the journal');
  const session = await liveSession(await placeFor(run));
  try {
    const untilMs = overridden === 'window' ? await untilOf(session, about, options.zone) : null;
    const by = userInfo().username;
    const refused = await session.ask({
      ask: 'override',
      class: overridden,
      about: about ?? null,
      untilMs,
      by,
      reason,
    });
    if (refused !== null) throw usage(refused, `See: neap status ${session.place.run}`);
    process.stdout.write(
      `Run ${session.place.run}: ${said(overridden, until(session, untilMs) ?? about, by, reason)}\n`,
    );
    return 0;
  } finally {
    session.close();
  }
}

/** `30m` is so much longer than it is open now; anything else is an instant. */
async function untilOf(session: Session, about: string | undefined, named: string | undefined): Promise<number | null> {
  if (about === undefined) return null;
  const longerMs = durationOf(about);
  const { index } = session.machine;
  const state = session.state();
  if (longerMs !== null) return closesAtMs(state, index) + Math.max(0, state.skewMs) + longerMs;
  const zone = named ?? session.plan.header.window.zone ?? (await loadConfig(process.cwd())).zone ?? 'UTC';
  return instantOf(about, zone, 'neap override window');
}

function until({ plan }: Session, untilMs: number | null): string | null {
  return untilMs === null ? null : `until ${instantText(untilMs, plan.header.window.zone)}`;
}

function said(overridden: Class, about: string | undefined, by: string, reason: string): string {
  return standingText({ type: 'overrode', class: overridden, about: about ?? overridden, by, reason });
}
