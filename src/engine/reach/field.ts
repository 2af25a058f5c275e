import { z } from 'zod';
import type { Json } from '../../model/index.ts';

/** What a dotted path picks out of a JSON text: text as it is, all else as JSON; null where there is no such value. */
export function pickField(text: string, path: string): string | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  for (const key of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    value = Reflect.get(value, key);
  }
  return typeof value === 'string' ? value : JSON.stringify(value);
}

const jsonSchema: z.ZodType<Json> = z.json();

/** A call's text or body with `{seconds}` filled in; digits only can come of it. Throws where the two do not fit. */
export function fillSeconds(value: Json, seconds: number | undefined): Json {
  const text = JSON.stringify(value);
  if (!text.includes('{seconds}')) return value;
  if (seconds === undefined || !Number.isSafeInteger(seconds) || seconds < 1 || seconds > 86_400)
    throw new RangeError(`{seconds} needs a whole number from 1 to 86400, not ${String(seconds)}`);
  return jsonSchema.parse(JSON.parse(text.replaceAll('{seconds}', String(seconds))));
}
