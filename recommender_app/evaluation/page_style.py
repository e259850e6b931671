"""The look of the report page: one column, system fonts, prints well."""

STYLE = """
:root { --ink: #222; --soft: #5c6370; --line: #e3e5e8; --accent: #0072b2; }
* { box-sizing: border-box; }
body { margin: 0; background: #f5f6f7; color: var(--ink); line-height: 1.55;
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
main { max-width: 1020px; margin: 0 auto; padding: 40px 24px 64px; }
header p, .note { color: var(--soft); font-size: 14.5px; max-width: 78ch; }
h1 { font-size: 30px; line-height: 1.2; margin: 0 0 6px; letter-spacing: -0.01em; }
h2 { font-size: 20px; margin: 0 0 4px; }
section { background: #fff; border: 1px solid var(--line); border-radius: 10px; padding: 24px 28px; margin-top: 22px; }
section > p { margin: 4px 0 14px; max-width: 78ch; }
.summary { border-left: 5px solid var(--accent); }
.summary li { margin: 7px 0; max-width: 80ch; }
.summary ul { padding-left: 20px; margin: 10px 0 0; }
.summary li:first-child { font-weight: 600; }
figure { margin: 8px 0 0; overflow-x: auto; }
figure svg { display: block; max-width: 100%; height: auto; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: 14px; font-variant-numeric: tabular-nums; width: 100%; }
th, td { padding: 6px 8px; text-align: right; white-space: nowrap; border-bottom: 1px solid var(--line); }
th { color: var(--soft); font-weight: 600; vertical-align: bottom; }
th:last-child { white-space: normal; }
h3 { font-size: 15px; margin: 22px 0 2px; }
th:first-child, td:first-child { text-align: left; }
td.best { font-weight: 700; }
td.better { color: #00674d; } td.worse { color: #a33b00; }
.dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 8px; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: 5px 18px; font-size: 14.5px; margin: 10px 0 0; }
dt { font-weight: 600; } dd { margin: 0; color: var(--soft); }
footer { color: var(--soft); font-size: 13.5px; margin-top: 22px; }
@media print { body { background: #fff; } section { break-inside: avoid; border: 0; padding: 12px 0; } }
@media (max-width: 640px) { main { padding: 20px 10px; } section { padding: 16px; } dl { grid-template-columns: 1fr; } }
"""
