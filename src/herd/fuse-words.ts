/** A duration as a person compares it: `172 s`, `9.3 s`, `250 ms`. */
export function secondsOf(ms: number): string {
  if (ms > 0 && ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  return `${Number.isInteger(seconds) || Math.abs(seconds) >= 1000 ? Math.round(seconds) : seconds.toFixed(1)} s`;
}

/** A share in percent; neither "0%" nor "100%" is said of something in between. */
export function percentOf(share: number): string {
  if (share > 0 && share < 0.001) return 'less than 0.1%';
  if (share < 1 && share > 0.999) return 'more than 99.9%';
  return `${Number((share * 100).toFixed(1))}%`;
}

/** A count or a rate with at most one decimal. */
export function numberOf(value: number): string {
  return String(Number(value.toFixed(1)));
}

/** `api-01`, or `api-01 and 11 more`: a fleet of thousands still makes a line. */
export function namesOf(names: readonly string[]): string {
  const [first = 'nobody'] = names;
  return names.length > 1 ? `${first} and ${names.length - 1} more` : first;
}
