/** What stands in place of a secret. */
export const REDACTED = '[redacted]';

/** Shorter values cannot be told from ordinary text. */
const SHORTEST = 4;

/** Replaces known secrets in all that is recorded or shown (promise 13). */
export interface Redactor {
  /** Adds a secret, and the forms in which it travels: in JSON, in a URL, in base64. */
  readonly add: (secret: string) => void;
  readonly redact: (text: string) => string;
  /** For text that comes in pieces: holds back only what may be the beginning of a secret. */
  readonly stream: () => { readonly push: (chunk: string) => string; readonly end: () => string };
}

/** A redactor of these secrets; more may be added later, and count from then on in streams that are open too. */
export function redactor(secrets: readonly string[]): Redactor {
  let known: readonly string[] = [];
  const add = (secret: string): void => {
    const forms = [
      secret,
      JSON.stringify(secret).slice(1, -1),
      encodeURIComponent(secret),
      Buffer.from(secret).toString('base64'),
    ];
    const all = new Set([...known, ...forms.filter((form) => form.length >= SHORTEST)]);
    // The longest first: a secret that begins with another is replaced whole.
    known = [...all].toSorted((a, b) => b.length - a.length);
  };
  for (const secret of secrets) add(secret);
  return {
    add,
    redact: (text) => replace(text, known, true).done,
    stream: () => {
      let held = '';
      return {
        push: (chunk) => {
          const { done, rest } = replace(held + chunk, known, false);
          held = rest;
          return done;
        },
        end: () => {
          const { done } = replace(held, known, true);
          held = '';
          return done;
        },
      };
    },
  };
}

function replace(
  text: string,
  secrets: readonly string[],
  whole: boolean,
): { readonly done: string; readonly rest: string } {
  let done = '';
  let from = 0;
  for (let at = 0; at < text.length; at += 1) {
    for (const secret of secrets) {
      if (secret.charCodeAt(0) !== text.charCodeAt(at)) continue;
      if (text.startsWith(secret, at)) {
        done += text.slice(from, at) + REDACTED;
        from = at + secret.length;
        at = from - 1;
        break;
      }
      if (!whole && text.length - at < secret.length && secret.startsWith(text.slice(at)))
        return { done: done + text.slice(from, at), rest: text.slice(at) };
    }
  }
  return { done: done + text.slice(from), rest: '' };
}
