import { Html } from './markup.ts';

/** One sheet for screen and paper, light and dark. Text and ground keep a contrast of at least 4.5 to 1. */
export const style = new Html(`
:root { color-scheme: light dark; --ink:#16202b; --soft:#52606d; --ground:#fff; --panel:#f4f6f8; --line:#d5dce3;
  --good:#0b6b3a; --goodbg:#e2f4ea; --warn:#7a4a00; --warnbg:#fdf0d8; --bad:#a3161a; --badbg:#fde7e7; --accent:#0a5ca8; --band:#0a5ca822; }
@media screen and (prefers-color-scheme: dark) { :root { --ink:#e6ebf0; --soft:#a7b3bf; --ground:#12171d; --panel:#1a2129; --line:#333e49;
  --good:#7fdca4; --goodbg:#12341f; --warn:#f3c26b; --warnbg:#3a2a08; --bad:#ff9c9c; --badbg:#431a1c; --accent:#7db9f5; --band:#7db9f533; } }
* { box-sizing: border-box; }
body { margin:0 auto; max-width:78rem; padding:2rem 1.5rem 4rem; background:var(--ground); color:var(--ink);
  font:15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Liberation Sans", sans-serif; }
h1 { font-size:1.7rem; line-height:1.2; margin:.1rem 0 .6rem; } h2 { font-size:1.2rem; margin:2.6rem 0 .6rem; } h3 { font-size:1rem; margin:1.4rem 0 .4rem; }
p { margin:.4rem 0; max-width:60rem; overflow-wrap:anywhere; } a { color:var(--accent); }
.soft, caption, .sub { color:var(--soft); } .sub { display:block; font-size:.87em; }
code, .mono { font-family:ui-monospace, "SFMono-Regular", "Liberation Mono", Consolas, monospace; font-size:.88em; overflow-wrap:anywhere; }
nav { margin:1rem 0; display:flex; flex-wrap:wrap; gap:.2rem 1rem; font-size:.92em; }
.badge { display:inline-block; border-radius:.4rem; padding:.05rem .5rem; font-size:.88em; font-weight:600; white-space:nowrap; border:1px solid currentColor; }
.good { color:var(--good); background:var(--goodbg); } .warn { color:var(--warn); background:var(--warnbg); } .bad { color:var(--bad); background:var(--badbg); }
.plain { color:var(--soft); background:var(--panel); border-color:var(--line); }
.tiles { display:grid; grid-template-columns:repeat(auto-fit, minmax(10.5rem, 1fr)); gap:.7rem; margin:1.2rem 0; padding:0; list-style:none; }
.tiles li { background:var(--panel); border:1px solid var(--line); border-radius:.5rem; padding:.6rem .8rem; }
.tiles b { display:block; font-size:1.25rem; line-height:1.3; } .tiles .sub { font-size:.85em; }
.alert { border-left:.3rem solid currentColor; border-radius:.3rem; padding:.6rem .9rem; margin:.8rem 0; } .alert p { margin:.1rem 0; }
dl { display:grid; grid-template-columns:max-content 1fr; gap:.25rem 1.2rem; margin:.6rem 0; } dt { color:var(--soft); } dd { margin:0; overflow-wrap:anywhere; }
.scroll { overflow-x:auto; } table { border-collapse:collapse; width:100%; font-size:.93em; font-variant-numeric:tabular-nums; }
caption { text-align:left; font-size:.95em; padding:0 0 .4rem; } th, td { text-align:left; vertical-align:top; padding:.35rem .7rem .35rem 0; border-bottom:1px solid var(--line); overflow-wrap:anywhere; }
thead th { color:var(--soft); font-weight:600; white-space:nowrap; } tbody th { font-weight:600; white-space:nowrap; } .num { text-align:right; white-space:nowrap; } .now { white-space:nowrap; }
.late { color:var(--warn); font-weight:600; } .name { white-space:normal; min-width:7rem; } td.wide { min-width:15rem; } td.gantt { width:18%; min-width:7rem; vertical-align:middle; } td.gantt svg { display:block; width:100%; height:.8rem; }
.deeds { margin:0; padding:0; list-style:none; } .deeds li { margin:0 0 .1rem; } .inline li { display:inline; } .inline li + li::before { content:" · "; color:var(--soft); }
details { border:1px solid var(--line); border-radius:.4rem; margin:.5rem 0; padding:.1rem .8rem; } summary { cursor:pointer; padding:.35rem 0; font-weight:600; }
figure { margin:.6rem 0; } figure svg { width:100%; height:auto; display:block; } figcaption { color:var(--soft); font-size:.93em; margin-top:.4rem; }
svg text { fill:var(--ink); font:12px system-ui, "Liberation Sans", sans-serif; } svg text.soft { fill:var(--soft); } svg text.strong { font-weight:600; }
pre { white-space:pre-wrap; overflow-wrap:anywhere; margin:.2rem 0; font:inherit; } footer { margin-top:3rem; border-top:1px solid var(--line); padding-top:.8rem; font-size:.88em; }
@media print { body { max-width:none; padding:0; font-size:10pt; } nav { display:none; } tr, figure, .tiles li, .alert { break-inside:avoid; } h2, h3, summary { break-after:avoid; }
  thead { display:table-header-group; } .scroll { overflow:visible; } details::details-content { content-visibility:visible; display:block; } * { print-color-adjust:exact; } }
@page { margin:14mm; }
`);
