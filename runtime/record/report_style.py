"""How a report looks, on a screen and on paper."""

STYLE = """
:root { color-scheme: light; --ink: #1a2028; --quiet: #5b6672; --line: #d8dde3; --wash: #f4f6f8; --warn: #a8480b; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 960px; padding: 32px 28px 48px; background: #fff; color: var(--ink);
  font: 15px/1.45 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
h1 { font-size: 27px; line-height: 1.2; margin: 0 0 4px; overflow-wrap: anywhere; }
h2 { font-size: 17px; margin: 30px 0 10px; padding-bottom: 5px; border-bottom: 2px solid var(--ink); }
p { margin: 0 0 8px; max-width: 76ch; } .quiet { color: var(--quiet); }
.notice { border: 1px solid var(--line); border-left: 4px solid var(--warn); padding: 7px 12px; margin: 14px 0 0; }
.key { display: flex; flex-wrap: wrap; gap: 8px 40px; margin: 18px 0 0; }
.key div { min-width: 96px; } .key b { display: block; font-size: 27px; line-height: 1.15; font-weight: 650; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 6px 10px 6px 0; border-bottom: 1px solid var(--line); vertical-align: top; }
th { color: var(--quiet); font-weight: 600; font-size: 13px; }
td.n, th.n { text-align: right; } td.n { white-space: nowrap; }
.main td { font-size: 16px; padding-top: 9px; padding-bottom: 9px; } .total td { font-weight: 600; }
table + p { margin-top: 10px; } .wide + p { margin-top: 10px; }
.facts th { width: 190px; color: var(--quiet); font-size: 14px; } .facts td { overflow-wrap: anywhere; }
.dot { display: inline-block; width: 11px; height: 11px; border-radius: 50%; margin-right: 8px; }
.trends { display: grid; grid-template-columns: repeat(auto-fit, minmax(240px, 1fr)); gap: 14px 22px; }
figure { margin: 0; } figcaption { font-size: 13px; margin-top: 5px; }
.trends figcaption { margin: 0 0 2px; font-weight: 600; font-size: 14px; }
svg { display: block; width: 100%; height: auto; font: 11px system-ui, sans-serif; fill: var(--quiet); }
.fields { display: grid; grid-template-columns: repeat(3, 1fr); gap: 16px 14px; }
.fields img { display: block; width: 100%; border: 1px solid var(--line); background: var(--wash); }
.warn { color: var(--warn); } code { font-size: 12.5px; overflow-wrap: anywhere; }
footer { margin-top: 34px; padding-top: 10px; border-top: 1px solid var(--line); font-size: 13px; color: var(--quiet); }
@media (max-width: 640px) { body { padding: 20px 14px; } .fields { grid-template-columns: repeat(2, 1fr); }
  .wide { overflow-x: auto; } }
@page { size: A4; margin: 16mm 15mm 17mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 9pt system-ui, sans-serif; color: #5b6672; }
  @bottom-left { content: "For research use; not a diagnostic device"; font: 9pt system-ui, sans-serif;
    color: #5b6672; } }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  h1 { font-size: 19pt; } h2 { font-size: 12.5pt; margin-top: 18pt; }
  h2, h2 + p { break-after: avoid; } svg { font-size: 16px; }
  .main td { font-size: 11pt; } .key b { font-size: 18pt; }
  tr, figure, .key, .notice, .trends { break-inside: avoid; } .facts th { width: 110pt; }
  .trends { grid-template-columns: repeat(3, 1fr); gap: 8pt; } .fields { gap: 9pt; } td, th { padding-top: 3.5pt;
  padding-bottom: 3.5pt; }
}
"""
