import { startRealFleet } from './fleet.ts';

/** A process that starts a small fleet, prints where it lives and stays; the harness's tests kill it. */
const fleet = await startRealFleet({ servers: 2 });
process.stdout.write(`${JSON.stringify({ dir: fleet.dir, net: fleet.servers[0]?.address.replace(/\.\d+$/, '') })}\n`);
