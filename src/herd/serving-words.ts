/** `1,800 requests/s`; below ten with a decimal. */
export function ratioOf(perSecond: number): string {
  return `${countOf(perSecond)} requests/s`;
}

/** `12,800`, `7.5`. */
export function countOf(value: number): string {
  const text = String(value < 10 ? Math.round(value * 10) / 10 : Math.round(value));
  return text.replaceAll(/\B(?=(\d{3})+$)/g, ',');
}
