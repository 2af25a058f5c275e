import { sanitise } from '../../transport/index.ts';

/** Text that is markup already. Only `html` makes it, so what a server said never is. */
export class Html {
  readonly markup: string;

  constructor(markup: string) {
    this.markup = markup;
  }
}

type Value = Html | string | number | null | readonly Value[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
  '`': '&#96;',
};

/** A template whose every value is made harmless, unless it is markup made by this same function. Null is nothing. */
export function html(strings: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(strings.map((text, at) => text + (at < values.length ? markupOf(values[at] ?? null) : '')).join(''));
}

function markupOf(value: Value): string {
  if (value === null) return '';
  if (value instanceof Html) return value.markup;
  if (typeof value === 'string') return escape(value);
  if (typeof value === 'number') return String(value);
  return value.map(markupOf).join('');
}

/** No markup, no control characters, nothing that hides or reorders text; safe between tags and within quotes. */
function escape(text: string): string {
  return sanitise(text).replaceAll(/[&<>"'`]/g, (character) => ENTITIES[character] ?? '');
}
