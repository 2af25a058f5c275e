/** How much of a server's words a person is shown. */
const SHOWN_CHARACTERS = 4_000;

// ECMA-48 control sequences (CSI ... final byte), and strings (OSC, DCS, SOS, PM, APC) up to their terminator.
const SEQUENCES =
  /(?:\u001B\[|\u009B)[\u0030-\u003F]*[\u0020-\u002F]*[\u0040-\u007E]?|(?:\u001B[\]PX^_]|[\u0090\u0098\u009D-\u009F])[^\u0007\u001B\u009C]*(?:\u0007|\u001B\\|\u009C)?|\u001B[\u0020-\u002F]*[\u0030-\u007E]?/g;
// Controls but tab and newline; marks that reorder, join or hide text; separators that break lines unseen.
const UNSEEN =
  /[\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]|[\u{E0000}-\u{E007F}]/gu;

/**
 * What a server said, made harmless for a terminal, a log and a report (promise 11): no control or escape sequences,
 * nothing that reorders or hides text, no broken surrogates, and no longer than `atMost` characters. Newlines and
 * tabs stay.
 */
export function sanitise(text: string, atMost: number = SHOWN_CHARACTERS): string {
  // Cut before the work, with room for what is removed, so that a flood costs no time.
  const clean = text
    .slice(0, atMost * 4)
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replaceAll(SEQUENCES, '')
    .replaceAll(UNSEEN, '');
  if (clean.length <= atMost) return clean;
  return `${clean.slice(0, Math.max(0, atMost - 1)).replace(/[\uD800-\uDBFF]$/, '')}…`;
}
