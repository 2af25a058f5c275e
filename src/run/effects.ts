import type { Json } from '../model/index.ts';

/** Where an effect belongs: which track, step (by index), wave and server. */
export interface Place {
  readonly track: string;
  readonly step: number;
  readonly wave: number;
  readonly target: string;
}

/**
 * What the machine wants done now. Each carries an id that is unique in the run, `track/step/server/word/attempt`,
 * and each is an `intended` event before it is made.
 */
export type Effect =
  /** Observe, decide, judge, and read the needs. With `soakUntilMs` the condition must hold until then. */
  | {
      readonly effect: 'look';
      readonly id: string;
      readonly place: Place;
      /** `undo`: before an undo; the same change seen again means that it is undone already. */
      readonly for: 'perform' | 'undo';
      readonly soakUntilMs: number | null;
      /** What an earlier run did, where that is to be taken back: how the server stands towards it is looked at too. */
      readonly change?: Json;
    }
  | { readonly effect: 'perform'; readonly id: string; readonly place: Place; readonly change: Json }
  | { readonly effect: 'undo'; readonly id: string; readonly place: Place; readonly change: Json }
  /** Read again until it shows, then until the soak is over. `sinceMs`: when the change was first intended. */
  | {
      readonly effect: 'confirm';
      readonly id: string;
      readonly place: Place;
      readonly for: 'perform' | 'undo';
      readonly change: Json;
      readonly sinceMs: number;
      readonly deadlineMs: number;
      readonly soakUntilMs: number | null;
      readonly priorBootId: string | null;
    }
  /** Is it alive, hung or silent? */
  | { readonly effect: 'diagnose'; readonly id: string; readonly target: string }
  | {
      readonly effect: 'ask';
      readonly id: string;
      readonly gate: string;
      readonly track: string;
      readonly text: string;
      readonly servers: readonly string[];
    }
  /** An answer is acted upon now. */
  | { readonly effect: 'pass'; readonly id: string; readonly gate: string; readonly track: string }
  | { readonly effect: 'page'; readonly id: string; readonly key: string; readonly text: string }
  /** Read the clocks of these servers again, and how the balancer's page stands: the fuse burns. */
  | { readonly effect: 'count'; readonly id: string; readonly servers: readonly string[] }
  /** Turn the balancer's page on; or off, once every dependency answers from these servers. */
  | { readonly effect: 'shed'; readonly id: string; readonly on: boolean; readonly servers: readonly string[] };
