/** Deeper than any plan, event or change; a value that holds itself ends here too. */
const DEPTH_MAX = 200;

/**
 * The one text of a JSON value: keys sorted by UTF-16 code unit, no white space, numbers and strings as
 * `JSON.stringify` writes them (RFC 8785, except that a lone surrogate is escaped and not refused). Equal values
 * have equal texts, so hashes and drift are compared on it.
 *
 * Throws TypeError, naming the path, on whatever JSON cannot hold: undefined, a function, a symbol, a bigint, NaN,
 * an infinity, a class instance, a hole in an array, or nesting beyond 200 levels. `-0` is written as `0`.
 */
export function canonicalJson(value: unknown): string {
  return write(value, '$', 0);
}

function write(value: unknown, path: string, depth: number): string {
  if (depth > DEPTH_MAX) throw new TypeError(`${path.slice(0, 200)}: nested deeper than ${DEPTH_MAX} levels`);
  if (value === null) return 'null';
  if (typeof value === 'string' || typeof value === 'boolean') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`${path}: ${value} is not a JSON number`);
    return JSON.stringify(value);
  }
  if (typeof value !== 'object') throw new TypeError(`${path}: ${typeof value} is not JSON`);
  return Array.isArray(value) ? writeArray(value, path, depth) : writeObject(value, path, depth);
}

function writeArray(items: readonly unknown[], path: string, depth: number): string {
  let text = '[';
  // By index, since `map` and `forEach` pass over holes.
  for (let index = 0; index < items.length; index += 1) {
    text += (index === 0 ? '' : ',') + write(items[index], `${path}[${index}]`, depth + 1);
  }
  return `${text}]`;
}

function writeObject(value: object, path: string, depth: number): string {
  if (!isPlain(value)) throw new TypeError(`${path}: an object of a class is not JSON`);
  if (Object.getOwnPropertySymbols(value).length > 0) throw new TypeError(`${path}: a symbol cannot be a key`);
  const members = value as Readonly<Record<string, unknown>>;
  let text = '{';
  // Without a comparison of its own, `sort` goes by code units.
  for (const key of Object.keys(members).sort()) {
    text += `${text === '{' ? '' : ','}${JSON.stringify(key)}:${write(members[key], `${path}.${key}`, depth + 1)}`;
  }
  return `${text}}`;
}

/** By the shape of its prototype and not by identity: the same code runs in hosts with several realms. */
function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype as object, 'isPrototypeOf'))
  );
}
