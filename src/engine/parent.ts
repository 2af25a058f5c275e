/**
 * Tells whoever started this process. One that is gone, and be it in this very moment, is told nothing: a run does not
 * hang on the terminal that it was started from.
 */
export function tellParent(message: object): void {
  // Without somebody to call back, a pipe that broke unnoticed would be an error of the whole process.
  if (process.connected) process.send?.(message, () => undefined);
}
