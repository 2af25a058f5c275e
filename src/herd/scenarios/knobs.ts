/** What can be changed in a scenario: `--what-if timeout=1s`. */
export type Knob =
  | {
      readonly kind: 'number';
      readonly value: number;
      readonly min: number;
      readonly max: number;
      readonly what: string;
    }
  /** In milliseconds; written `90s`, `4m`, `250ms`. */
  | {
      readonly kind: 'duration';
      readonly value: number;
      readonly min: number;
      readonly max: number;
      readonly what: string;
    }
  | { readonly kind: 'choice'; readonly value: string; readonly of: readonly string[]; readonly what: string };

export type Knobs = Readonly<Record<string, Knob>>;

/** The values of a scenario's knobs. */
export type Settings<K extends Knobs> = {
  readonly [Name in keyof K]: K[Name] extends { readonly kind: 'choice' } ? string : number;
};

/** A knob for a count or a rate. */
export function number(
  value: number,
  range: readonly [min: number, max: number],
  what: string,
): Knob & { kind: 'number' } {
  return { kind: 'number', value, min: range[0], max: range[1], what };
}

/** A knob for a span of time, in milliseconds; up to a day. */
export function duration(value: number, what: string, min = 1): Knob & { kind: 'duration' } {
  return { kind: 'duration', value, min, max: 86_400_000, what };
}

/** A knob for one word out of several. */
export function choice(value: string, of: readonly string[], what: string): Knob & { kind: 'choice' } {
  return { kind: 'choice', value, of, what };
}

/** What is wrong with a `--what-if`, in words that name what there is. */
export class KnobError extends Error {
  readonly remedy: string;

  constructor(what: string, remedy: string) {
    super(what);
    this.remedy = remedy;
  }
}

/**
 * The knobs as they stand, changed by these words.
 * @throws KnobError for a name that there is not, or a value that does not fit
 */
export function settingsOf<K extends Knobs>(knobs: K, whatIf: readonly string[]): Settings<K> {
  const settings: Record<string, number | string> = {};
  for (const [name, knob] of Object.entries(knobs)) settings[name] = knob.value;
  for (const word of whatIf) {
    const at = word.indexOf('=');
    const name = at < 0 ? word : word.slice(0, at);
    const knob = Object.hasOwn(knobs, name) ? knobs[name] : undefined;
    if (knob === undefined)
      throw new KnobError(`there is nothing called ${name} to change`, `There are: ${knobsText(knobs)}`);
    if (at < 0) throw new KnobError(`--what-if ${word} gives no value`, `Write ${name}=${valueText(knob)}`);
    settings[name] = parse(name, knob, word.slice(at + 1));
  }
  return settings as Settings<K>;
}

/** Every knob with its value, in a line. */
export function knobsText(knobs: Knobs): string {
  return Object.entries(knobs)
    .map(([name, knob]) => `${name}=${valueText(knob)}${knob.kind === 'choice' ? ` (${knob.of.join(', ')})` : ''}`)
    .join(', ');
}

/** Settings as one would write them behind --what-if. */
export function settingsText(knobs: Knobs, settings: Readonly<Record<string, number | string>>): readonly string[] {
  return Object.entries(knobs).map(([name, knob]) => {
    const value = settings[name] ?? knob.value;
    return `${name}=${valueText({ ...knob, value } as Knob)}`;
  });
}

/** A knob's value as one would write it. */
export function valueText(knob: Knob): string {
  if (knob.kind !== 'duration') return String(knob.value);
  const { value } = knob;
  if (value % 60_000 === 0 && value > 0) return `${value / 60_000}m`;
  return value % 1_000 === 0 ? `${value / 1_000}s` : `${value}ms`;
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

function parse(name: string, knob: Knob, word: string): number | string {
  if (knob.kind === 'choice') {
    if (knob.of.includes(word)) return word;
    throw new KnobError(`${name} cannot be ${word}`, `${name} is one of: ${knob.of.join(', ')}`);
  }
  const [, digits = '', unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(word) ?? [];
  const needsUnit = knob.kind === 'duration';
  const value = Number(digits) * (needsUnit ? (UNITS[unit] ?? NaN) : 1);
  if (digits === '' || (!needsUnit && unit !== '') || !(value >= knob.min && value <= knob.max)) {
    throw new KnobError(
      `${name} cannot be ${word}`,
      needsUnit
        ? `${name} is a time with its unit, e.g. ${name}=${valueText(knob)}; at most a day`
        : `${name} is a number from ${knob.min} to ${knob.max}`,
    );
  }
  return value;
}
