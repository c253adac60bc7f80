/** The example's project: a folder of its own, made anew each time. */
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { initProject, openProject, type Project } from '@descent/loop'
import { randomShare } from './traffic.ts'

export const folder = 'runs/circle'
export const recipeFile = 'recipe.json'

const config = `// The example's project. Every setting is explained in the config that \`descent init\` writes.
import type { Config } from '@descent/loop'

export default {
  kind: 'image',
  serve: { randomShare: ${randomShare} },
  // A slice of the test set has about a hundred digits here: chance alone moves it by several points.
  gate: { sliceMargin: 0.1 },
} satisfies Config
`

/** Small, so that 300 digits and a few minutes do. */
const recipe = {
  name: 'small convolutions',
  network: { type: 'convolution', channels: [16, 32], hidden: 64, dropout: 0.2 },
  epochs: 20,
}

export async function freshProject(): Promise<Project> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  const made = await initProject(folder, 'image')
  await made.close()
  await writeFile(join(folder, 'descent.config.ts'), config)
  await writeFile(join(folder, recipeFile), `${JSON.stringify(recipe, null, 2)}\n`)
  return openProject(folder)
}
