// The look of the admin pages, light and dark.

export const adminStyle = `:root {
  --ink: #1b2430; --soft: #5d6978; --line: #d9dee5; --back: #f6f7f9; --card: #fff;
  --good: #1a7f4b; --warn: #a15c00; --bad: #c0262d; --link: #1f5fbf;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ink: #e3e8ee; --soft: #97a3b2; --line: #303a46; --back: #12171d; --card: #1a2129;
    --good: #58c98b; --warn: #e5a54b; --bad: #ff7b7b; --link: #86b7ff;
  }
}
* { box-sizing: border-box }
body { margin: 0; background: var(--back); color: var(--ink); font: 14px/1.45 system-ui, "DejaVu Sans", sans-serif }
a { color: var(--link) }
header { display: flex; flex-wrap: wrap; gap: 4px 20px; align-items: baseline; padding: 12px 20px;
  background: var(--card); border-bottom: 1px solid var(--line) }
nav { display: flex; flex-wrap: wrap; gap: 4px 16px }
nav a { text-decoration: none }
nav a[aria-current] { color: var(--ink); font-weight: 600 }
main { max-width: 1600px; margin: 0 auto; padding: 16px 20px 40px }
h2 { margin: 24px 0 8px; font-size: 17px }
h3 { margin: 16px 0 6px; font-size: 13px; color: var(--soft); font-weight: 600 }
.facts { color: var(--soft); margin: 8px 0 }
.tiles { display: flex; flex-wrap: wrap; gap: 10px }
.tile { min-width: 112px; padding: 8px 14px; background: var(--card); border: 1px solid var(--line); border-radius: 6px }
.tile b { display: block; font-size: 20px; font-weight: 600; font-variant-numeric: tabular-nums }
.tile span { color: var(--soft); font-size: 12px }
.scroll { overflow-x: auto; background: var(--card); border: 1px solid var(--line); border-radius: 6px }
table { border-collapse: collapse; width: 100% }
th, td { padding: 5px 12px; text-align: left; border-top: 1px solid var(--line); vertical-align: top }
thead th { border-top: 0; color: var(--soft); font-size: 12px; font-weight: 600; white-space: nowrap }
td.number, th.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
td.name { overflow-wrap: anywhere; min-width: 190px; font-family: ui-monospace, "DejaVu Sans Mono", monospace; font-size: 13px }
td.short { white-space: nowrap }
.good { color: var(--good) } .warn { color: var(--warn) } .bad { color: var(--bad) }
.problem { padding: 8px 14px; border: 1px solid var(--bad); border-radius: 6px; color: var(--bad) }
[hidden] { display: none }
`
