/** One run, or one forecast, as a document. Reads nothing and writes nothing itself. */
export { toHtml } from './html/page.ts';
export { toJson } from './json.ts';
export { toMarkdown } from './markdown.ts';
export type { Report } from './report.ts';
export { reportOf, type ReportExtra } from './report-of.ts';
export { curveChart, type ChartParts, type Line } from './forecast/curve-chart.ts';
export { forecastHtml } from './forecast/page.ts';
export * as forecastWords from './forecast/words.ts';
