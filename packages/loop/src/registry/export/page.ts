/**
 * The page of an exported folder: one file with program, runtime and settings inside, so that it runs from the disk or any
 * host, and asks no server. Inputs as the model's signature says; answers as bars.
 */
import type { VersionSignature } from '../served-model.ts'
import { escaped } from './escaped.ts'
import { formOf } from './page-form.ts'
import { pageScript } from './page-script.ts'
import type { ExportedSettings } from './runtime/model.ts'

export interface PageParts {
  readonly settings: ExportedSettings
  readonly signature: VersionSignature
  /** The program's bytes. */
  readonly program: Uint8Array
  /** JavaScript that defines `loadModel`. */
  readonly runtime: string
}

export function exportedPage({ settings, signature, program, runtime }: PageParts): string {
  const title = `${settings.project}, version ${settings.version}`
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<main>
<h1>${escaped(title)}</h1>
<form id="form">
${formOf(signature.input)}
<button id="ask" disabled>Predict</button>
</form>
<section id="answer" aria-live="polite"></section>
<p class="note">Computed in this page: nothing leaves it. In the console: <code>await predict(…)</code>.</p>
</main>
<script type="application/json" id="settings">${JSON.stringify(settings).replaceAll('<', '\\u003c')}</script>
<script type="text/plain" id="program">${Buffer.from(program).toString('base64')}</script>
<script type="module">
${inScript(runtime)}
${inScript(pageScript(signature.input))}
</script>
</html>
`
}

/** What would end the script's element early. */
function inScript(code: string): string {
  return code.replace(/<(\/script|!--)/gi, '\\x3c$1')
}

const style = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif }
body { margin: 0 }
main { max-width: 42rem; margin: 0 auto; padding: 1.5rem }
h1 { font-size: 1.4rem }
form { display: grid; gap: .75rem }
label { display: grid; gap: .2rem }
input, select, textarea, button { font: inherit; padding: .4rem .6rem }
textarea { min-height: 8rem }
canvas { image-rendering: pixelated; border: 1px solid; max-width: 100%; min-width: 8rem; justify-self: start }
#drop { border: 2px dashed; border-radius: .5rem; padding: 1rem }
#answer { margin-top: 1.5rem }
#answer strong { font-size: 1.3rem }
.bar { display: grid; grid-template-columns: 8rem 1fr 5rem; gap: .6rem; align-items: center }
.bar span { overflow-wrap: anywhere }
.bar i { display: block; height: .8rem; background: #2f6fde; border-radius: .2rem; min-width: 1px }
.bar b { font-weight: normal; text-align: right }
.note { opacity: .7; font-size: .85rem }
.wrong { color: #c22 }
`
