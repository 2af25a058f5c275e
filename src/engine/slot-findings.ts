import { ownTtlMs } from '../herd/index.ts';
import type { ActStep, Finding, Server, SlotRuleOfPlan } from '../model/index.ts';

/** What the forecast of a step's slots gives to say: a queue in the database, expiries that stay together, times to live that are all alike. */
export function slotFindings(step: ActStep, slots: SlotRuleOfPlan, servers: readonly Server[]): readonly Finding[] {
  return [...queueFindings(step, slots), ...alikeFindings(slots, servers), ...spreadFindings(step, slots)];
}

/** In a second the slots of it and what expires beside them can meet: more than is served makes a queue. */
function queueFindings({ id, title }: ActStep, { forecast }: SlotRuleOfPlan): Finding[] {
  if (forecast === null) return [];
  const { peakP99, capacityPerSecond, trials, perSecond } = forecast;
  if (capacityPerSecond === null || peakP99 <= capacityPerSecond) return [];
  return [
    {
      severity: 'warning',
      code: 'slots',
      what: `in 1 of 100 of ${trials} trials of step ${id} (${title}) ${peakP99} refreshes come in one second, and the fleet declares a capacity of ${capacityPerSecond}: they queue`,
      cures: [
        `Pace it at ${Number(Math.max(0.1, perSecond - (peakP99 - capacityPerSecond)).toFixed(1))} a second or fewer`,
      ],
    },
  ];
}

/** Whatever brings them together once, keeps them together for ever. */
function alikeFindings({ ttlMs }: SlotRuleOfPlan, servers: readonly Server[]): Finding[] {
  const [first] = servers;
  if (ttlMs === null || ttlMs.min !== ttlMs.max || first === undefined) return [];
  const range = { minMs: Math.round(ttlMs.min * 0.75), maxMs: ttlMs.min };
  return [
    {
      severity: 'warning',
      code: 'ttl',
      what: `all ${servers.length} servers' values live exactly ${ttlMs.min / 1000} s: what brings their expiries together once keeps them together, and each stall of the database adds to it`,
      cures: [
        `Give each server a time to live of its own between ${range.minMs / 1000} and ${range.maxMs / 1000} s, to the millisecond, by a hash of its name (${first.name}: ${ownTtlMs(first.name, range)} ms)`,
      ],
    },
  ];
}

/** What cannot bring expiries apart is not begun. */
function spreadFindings({ id, title }: ActStep, { coherenceBelow, ttlMs, forecast }: SlotRuleOfPlan): Finding[] {
  const after = forecast?.coherenceAfter ?? null;
  if (coherenceBelow === null || after === null || ttlMs === null || after < coherenceBelow) return [];
  return [
    {
      severity: 'refusal',
      code: 'spread',
      what: `the slots of step ${id} (${title}) would leave expiries together by ${after.toFixed(2)}, and less than ${coherenceBelow} is meant`,
      cures: [
        `Spread them over ${secondsAbove(ttlMs.min)} s, the shortest time to live, with overMs`,
        'Mean a larger coherenceBelow: few servers never lie as evenly as many',
      ],
    },
  ];
}

function secondsAbove(ms: number): number {
  return Math.ceil(ms / 1000);
}
