import { afterEach, describe, expect, test } from 'vitest';
import { changeHostKey, restartSsh, stallBanner, sudoWantsPassword } from './faults.ts';
import { hostKeyOf } from './disk.ts';
import { startRealFleet } from './fleet.ts';
import type { RealFleet, RealFleetOptions } from './fleet.ts';
import { cannotRunHere } from './missing-needs.ts';
import { mustRun } from './run-program.ts';
import { APPROVER, berths, voyageOn } from './voyage.ts';

