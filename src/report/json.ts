import type { Report } from './report.ts';

// Bytes that a terminal acts upon, or that hide or reorder text: JSON allows them bare, a person who prints the file does not.
const UNSEEN = /[\u007F-\u009F\u00AD\u061C\u180E\u200B-\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB]/g;

/** The report as data, nothing left out; what a terminal could act upon is escaped. */
export function toJson(report: Report): string {
  const text = JSON.stringify(report, null, 2);
  return `${text.replaceAll(UNSEEN, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`)}\n`;
}
