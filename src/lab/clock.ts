/** The lab's time: an anchor and a rate, which also stand in its fleet file. */
export interface LabClock {
  readonly anchorRealMs: number;
  readonly anchorPlanMs: number;
  readonly rate: number;
  nowMs(): number;
  /** How many real milliseconds so many of the lab last. */
  realMs(labMs: number): number;
  /** Jumps ahead: what lasts days is waited for in no time. */
  skip(labMs: number): void;
}

/** A clock that reads the real time now and runs `rate` times as fast from here on. */
export function startClock(rate: number): LabClock {
  const anchorRealMs = Date.now();
  let anchorPlanMs = anchorRealMs;
  return {
    anchorRealMs,
    get anchorPlanMs() {
      return anchorPlanMs;
    },
    rate,
    nowMs: () => anchorPlanMs + (Date.now() - anchorRealMs) * rate,
    realMs: (labMs) => labMs / rate,
    skip: (labMs) => {
      anchorPlanMs += labMs;
    },
  };
}
