/** @module How the report page looks, light and dark, from 400 pixels up. */

const dark =
  "--ink: #e6e7e9; --paper: #15171a; --card: #1c1f23; --line: #3a3e44; --soft: #a4a9b0; --good: #5fd38d; " +
  "--bad: #ff8a9a; --link: #8ab8ff; --mark: #2a2f36; color-scheme: dark;";

export const style = `
@font-face { font-family: "DejaVu Sans"; src: local("DejaVu Sans"), local("Verdana"), local("Segoe UI"), local("Helvetica Neue"), local("Arial"), local("Liberation Sans"), local("Roboto"); }
:root { color-scheme: light; --ink: #1a1a1a; --paper: #fff; --card: #fff; --line: #d8d8d8; --soft: #5c5c5c; --good: #0a6b31; --bad: #b00020; --link: #0b57a4; --mark: #f2f4f7; }
@media (prefers-color-scheme: dark) { :root:not([data-theme="light"]) { ${dark} } }
:root[data-theme="dark"] { ${dark} }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0 auto; padding: 1.2rem; max-width: 1500px; font: 15px/1.5 system-ui, "DejaVu Sans", sans-serif; color: var(--ink); background: var(--paper); overflow-wrap: break-word; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 .3rem; overflow-wrap: anywhere; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; padding-bottom: .2rem; border-bottom: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.6rem 0 .4rem; }
a { color: var(--link); } code { font-size: .9em; overflow-wrap: anywhere; }
.soft { color: var(--soft); } .good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
.skip { position: absolute; left: -999rem; } .skip:focus { left: 1rem; top: 1rem; z-index: 9; padding: .4rem .8rem; background: var(--card); border: 2px solid var(--link); }
.top { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: start; justify-content: space-between; }
.top > div { flex: 1 1 18rem; min-width: 0; }
button, input { font: inherit; color: inherit; background: var(--mark); border: 1px solid var(--line); border-radius: .3rem; padding: .2rem .7rem; min-height: 2rem; }
button { cursor: pointer; } button:hover, button[aria-pressed="true"] { border-color: var(--link); } input { width: min(100%, 24rem); }
ul.stamps, nav ul { display: flex; flex-wrap: wrap; gap: .35rem; list-style: none; margin: .8rem 0; padding: 0; }
ul.stamps li { border: 1px solid var(--line); border-left: .3rem solid var(--soft); border-radius: .3rem; padding: .15rem .6rem; background: var(--mark); font-size: .88rem; }
ul.stamps li.good { border-left-color: var(--good); color: inherit; font-weight: normal; } ul.stamps li.bad { border-left-color: var(--bad); color: inherit; font-weight: normal; }
nav ul { gap: .2rem 1rem; font-size: .9rem; }
.scroll { overflow-x: auto; max-width: 100%; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .86rem; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; vertical-align: top; }
th.text, td.text, th.wide, td.wide { text-align: left; } td.wide { white-space: normal; min-width: 11rem; max-width: 44rem; }
thead th { color: var(--soft); font-weight: 600; } tr:target td { background: var(--mark); } tbody th { text-align: left; padding-top: .9rem; }
dl { display: grid; grid-template-columns: max-content minmax(0, 1fr); gap: .15rem 1rem; margin: .5rem 0; font-size: .9rem; } dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
figure { margin: .6rem 0 0; } figcaption { color: var(--soft); font-size: .88rem; }
.picture { position: relative; overflow-x: auto; background: #fff; padding: .5rem; border: 1px solid var(--line); border-radius: .3rem; }
.picture svg { display: block; height: auto; max-width: none; }
.picture.drawn { background: var(--card); } .drawn .still { display: none; } .picture.drawn .vega-embed { display: block; }
.stamped.drawn::after { content: "INVALID"; position: absolute; inset: 0; display: grid; place-items: center; font: bold clamp(3rem, 12vw, 9rem) "DejaVu Sans", sans-serif; color: #b00020; opacity: .28; transform: rotate(-12deg); pointer-events: none; }
.tools { display: flex; flex-wrap: wrap; gap: .4rem; margin: .5rem 0; align-items: center; }
details { margin: .4rem 0; } td ul { margin: .2rem 0; padding-left: 1.1rem; } td details { margin: .1rem 0; } summary { cursor: pointer; width: fit-content; } details pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: .72rem; max-height: 24rem; overflow-y: auto; }
#vg-tooltip-element { position: fixed; z-index: 8; visibility: hidden; max-width: min(30rem, 90vw); padding: .4rem .6rem; font-size: .8rem; background: var(--card); color: var(--ink); border: 1px solid var(--soft); border-radius: .3rem; pointer-events: none; overflow-wrap: anywhere; }
#vg-tooltip-element.visible { visibility: visible; } #vg-tooltip-element td { padding: 0 .5rem 0 0; border: 0; text-align: left; white-space: normal; } #vg-tooltip-element td.key { color: var(--soft); white-space: nowrap; }
[hidden] { display: none !important; }
table.cards td.text { white-space: normal; min-width: 5rem; } table.cards td:first-child { min-width: 16rem; }
@media (max-width: 640px) {
  body { padding: .8rem; }
  table.cards, table.cards tbody, table.cards tr, table.cards td { display: block; width: auto; } table.cards thead { display: none; }
  table.cards td, table.cards td.wide { text-align: left; white-space: normal; border: 0; min-width: 0; padding: .1rem 0; } table.cards tr { border-bottom: 1px solid var(--line); padding: .5rem 0; }
  table.cards td::before { content: attr(data-title) ": "; color: var(--soft); } table.cards td.wide:first-child::before { content: ""; }
  dl { grid-template-columns: minmax(0, 1fr); } dd { margin-bottom: .3rem; }
}
@media print { .tools, nav, .skip, #theme { display: none; } .scroll, .picture { overflow: visible; } }
@media (prefers-reduced-motion: no-preference) { html { scroll-behavior: smooth; } }
`;
