/** A queue whose clients give up waiting, and try once more. */
export interface RecoveryQuestion {
  /** First attempts a second. */
  readonly ratePerSecond: number;
  /** Requests that it serves a second. */
  readonly capacityPerSecond: number;
  /** After so long a client gives up and tries once more; its first request is worked on all the same. */
  readonly timeoutMs: number;
  /** Where the chain is cut off: more than `queueMax` requests wait, more than `orbitMax` clients will come again. */
  readonly queueMax: number;
  readonly orbitMax: number;
}

/**
 * How long, in ms and on average, until the queue is empty, from each state: `expectedMs(queue, orbit)`. The instant
 * check before a simulation: a continuous-time Markov chain of the queue and of the orbit, which is the clients whose
 * requests will be too late, and who will come again (after P. Alvaro, R. Isaacs and others, "Formal Analysis of
 * Metastable Failures in Software Systems", arXiv 2510.03551; orbits are J. R. Artalejo's and A. Gómez-Corral's word).
 *
 * A request that finds `n` others is late when n + 1 exponential services last longer than the timeout; the waits in
 * the orbit are exponential with the timeout as their mean, which in truth they last exactly. It is exact for the
 * chain: rows of equal queue only know their neighbours, so blocks of the size of the orbit are eliminated from above.
 */
export function recoveryChain(question: RecoveryQuestion): (queue: number, orbit: number) => number {
  const { ratePerSecond, capacityPerSecond, timeoutMs, queueMax, orbitMax } = question;
  const size = orbitMax + 1;
  const late = lateShares(capacityPerSecond * (timeoutMs / 1000), queueMax);
  const againPerSecond = 1000 / timeoutMs;
  // From above: expected(q) = constant(q) + factor(q) * expected(q - 1).
  const constants: Float64Array[] = [];
  const factors: Float64Array[] = [];
  for (let queue = queueMax; queue >= 1; queue -= 1) {
    const matrix = new Float64Array(size * size);
    const right = new Float64Array(size * (size + 1));
    const above = { constant: constants[queue + 1], factor: factors[queue + 1] };
    for (let orbit = 0; orbit < size; orbit += 1) {
      const row = orbit * size;
      const to: [number, number][] = [[orbit - 1, orbit * againPerSecond]];
      if (queue < queueMax) {
        to.push([orbit, ratePerSecond * (1 - (late[queue] ?? 1))]);
        to.push([Math.min(orbitMax, orbit + 1), ratePerSecond * (late[queue] ?? 1)]);
      }
      right[orbit * (size + 1)] = 1;
      right[orbit * (size + 1) + 1 + orbit] = capacityPerSecond;
      let out = capacityPerSecond;
      for (const [target, perSecond] of to) {
        if (perSecond === 0) continue;
        out += perSecond;
        // Beyond the end of the chain a request is refused: the queue stays, and who came from the orbit is gone.
        if (queue === queueMax) matrix[row + target] = (matrix[row + target] ?? 0) - perSecond;
        else addAbove(matrix, right, { row: orbit, target, perSecond, size, above });
      }
      matrix[row + orbit] = (matrix[row + orbit] ?? 0) + out;
    }
    solve(matrix, right, size);
    constants[queue] = new Float64Array(size).map((_, orbit) => right[orbit * (size + 1)] ?? 0);
    factors[queue] = new Float64Array(size * size).map(
      (_, at) => right[Math.floor(at / size) * (size + 1) + 1 + (at % size)] ?? 0,
    );
  }
  const expected = fromBelow(constants, factors, { queueMax, size });
  return (queue, orbit) => 1000 * (expected[Math.min(queueMax, queue)]?.[Math.min(orbitMax, orbit)] ?? 0);
}

/** The share of requests that will be late, by how many they find: P(Poisson(mean) <= n), the mean served in time. */
function lateShares(servedInTime: number, queueMax: number): Float64Array {
  const shares = new Float64Array(queueMax + 1);
  let term = Math.exp(-servedInTime);
  let sum = 0;
  for (let found = 0; found <= queueMax; found += 1) {
    sum += term;
    shares[found] = Math.min(1, sum);
    term *= servedInTime / (found + 1);
  }
  return shares;
}

/** A step to the row above, in terms of this one: constant and factor of that row, times the rate. */
function addAbove(
  matrix: Float64Array,
  right: Float64Array,
  step: {
    readonly row: number;
    readonly target: number;
    readonly perSecond: number;
    readonly size: number;
    readonly above: { readonly constant: Float64Array | undefined; readonly factor: Float64Array | undefined };
  },
): void {
  const { row, target, perSecond, size, above } = step;
  right[row * (size + 1)] = (right[row * (size + 1)] ?? 0) + perSecond * (above.constant?.[target] ?? 0);
  for (let column = 0; column < size; column += 1) {
    matrix[row * size + column] =
      (matrix[row * size + column] ?? 0) - perSecond * (above.factor?.[target * size + column] ?? 0);
  }
}

/** Gauss and Jordan, in place; the matrix is diagonally dominant, so no pivot is sought. */
function solve(matrix: Float64Array, right: Float64Array, size: number): void {
  for (let at = 0; at < size; at += 1) {
    const pivot = matrix[at * size + at] ?? 1;
    scale(matrix, size, at, pivot);
    scale(right, size + 1, at, pivot);
    for (let row = 0; row < size; row += 1) {
      const factor = row === at ? 0 : (matrix[row * size + at] ?? 0);
      if (factor === 0) continue;
      subtract(matrix, size, { row, from: at, factor, column: at });
      subtract(right, size + 1, { row, from: at, factor, column: 0 });
    }
  }
}

function scale(values: Float64Array, width: number, row: number, by: number): void {
  for (let at = row * width; at < (row + 1) * width; at += 1) values[at] = (values[at] ?? 0) / by;
}

/** Takes so many times the row `from` away from a row; left of `column` there is nothing in it. */
function subtract(
  values: Float64Array,
  width: number,
  step: { readonly row: number; readonly from: number; readonly factor: number; readonly column: number },
): void {
  const { row, from, factor, column } = step;
  const shift = (from - row) * width;
  for (let at = row * width + column; at < (row + 1) * width; at += 1) {
    values[at] = (values[at] ?? 0) - factor * (values[at + shift] ?? 0);
  }
}

/** An empty queue has recovered: 0. Each row above follows from the one below. */
function fromBelow(
  constants: readonly Float64Array[],
  factors: readonly Float64Array[],
  { queueMax, size }: { readonly queueMax: number; readonly size: number },
): readonly Float64Array[] {
  const expected = [new Float64Array(size)];
  for (let queue = 1; queue <= queueMax; queue += 1) {
    const below = expected[queue - 1];
    expected.push(
      new Float64Array(size).map((_, orbit) => {
        let seconds = constants[queue]?.[orbit] ?? 0;
        for (let column = 0; column < size; column += 1) {
          seconds += (factors[queue]?.[orbit * size + column] ?? 0) * (below?.[column] ?? 0);
        }
        return seconds;
      }),
    );
  }
  return expected;
}
