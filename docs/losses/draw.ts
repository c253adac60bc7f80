/** Draws the pictures of the pages on losses: `node docs/losses/draw.ts`. */
import { writeFileSync } from 'node:fs'
import { draw } from './chart.ts'
import { chartOf, pictures } from './pictures.ts'

for (const [name, picture] of Object.entries(pictures)) {
  writeFileSync(new URL(name, import.meta.url), draw(chartOf(picture)))
}
