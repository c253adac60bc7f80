/** How a report looks, in light and dark. */
export const style = `
:root { color-scheme: light dark; --ink: #1f2328; --soft: #59636e; --line: #d1d9e0; --paper: #fff; --card: #f6f8fa; --a: #0969da; --b: #d1570a; --bad: #cf222e }
@media (prefers-color-scheme: dark) { :root { --ink: #e6edf3; --soft: #9198a1; --line: #3d444d; --paper: #0d1117; --card: #151b23; --a: #58a6ff; --b: #ffa657; --bad: #ff7b72 } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 1040px; margin: 2rem auto; padding: 0 1.25rem }
h1 { font-size: 1.6rem; margin: 0 } h2 { font-size: 1.15rem; margin: 2.2rem 0 .6rem } p { margin: .4rem 0 } .soft { color: var(--soft) }
table { border-collapse: collapse } td, th { padding: .25rem .9rem .25rem 0; text-align: left; border-bottom: 1px solid var(--line); vertical-align: top } td.n, th.n { text-align: right }
.headline { font-size: 2.6rem; font-weight: 650; margin: .6rem 0 0 } .headline small { font-size: 1rem; font-weight: 400; color: var(--soft) }
.row { display: flex; flex-wrap: wrap; gap: 1.5rem } svg { max-width: 100%; height: auto } svg text { font: 12px system-ui, sans-serif; fill: var(--soft) }
.grid { stroke: var(--line) } .diagonal { stroke: var(--soft); stroke-dasharray: 4 4 } .curve { fill: none; stroke-width: 2.2 } .curve.a, .whisker.a { stroke: var(--a) } .curve.b, .whisker.b { stroke: var(--b) }
.whisker { stroke-width: 1.6 } circle.a { fill: var(--a) } circle.b { fill: var(--b) } .faint { fill-opacity: .45 } rect.right { fill: var(--a) } rect.wrong { fill: var(--bad) } svg text.on { fill: #fff }
.key { font-weight: 600 } .key.a { color: var(--a) } .key.b { color: var(--b) }
.mistakes { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: .8rem } .mistake { background: var(--card); border: 1px solid var(--line); border-radius: 8px; padding: .7rem; overflow: hidden }
.mistake img { height: 96px; image-rendering: pixelated; border-radius: 4px; display: block; margin-bottom: .4rem } .mistake pre { white-space: pre-wrap; overflow-wrap: anywhere; max-height: 9.5rem; overflow: auto; margin: 0 0 .4rem; font: 12px/1.4 ui-monospace, monospace }
.tag { background: var(--b); color: #fff; border-radius: 4px; padding: 0 .35rem; font-size: .8rem }`
