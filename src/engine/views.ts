import { userInfo } from 'node:os';
import type { Feed } from './feed.ts';
import type { Host } from './host.ts';
import type { LoadedRun } from './loaded-run.ts';
import { requestSchema } from './messages.ts';
import type { RunPlace } from './runs.ts';
import { serveViews, socketPath, type ViewServer } from './socket.ts';

/** Serves the views of a run: whoever attaches is told the plan and all rows so far, and may ask the host. */
export function openViews(
  place: RunPlace,
  { order, plan, fleet }: LoadedRun,
  feed: Feed,
  host: () => Host,
): Promise<ViewServer> {
  return serveViews(socketPath(place.run), requestSchema, {
    open: (view) => {
      view.send({ say: 'hello', run: place.run, plan, clock: fleet.value.clock ?? null });
      feed.attach(view);
    },
    line: (request, view) =>
      view.send({
        say: 'done',
        id: request.id,
        refused: host().request(request, nameOf(request.by, fleet.value.unattendedApprover)),
      }),
    lost: (view) => {
      feed.detach(view);
      if (host().isOpen) host().tell({ type: 'viewed', by: order.by, what: 'lost' });
    },
  });
}

/** The name under which a person's word is written. The lab's own approver is no person's name anywhere else. */
export function nameOf(by: string, unattendedApprover: string | undefined): string {
  return by === unattendedApprover ? by : `${by}@${userInfo().username}`.replace(/^(.+)@\1$/, '$1');
}
