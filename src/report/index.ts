/** One run as HTML, Markdown and JSON, from its plan and its journal. Reads nothing and writes nothing itself. */
export { toHtml } from './html/page.ts';
export { toJson } from './json.ts';
export { toMarkdown } from './markdown.ts';
export type { Report } from './report.ts';
export { reportOf, type ReportExtra } from './report-of.ts';
