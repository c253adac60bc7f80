/** For tests and benches: traffic as the server would log it, and digits that are turned. */
import { hash } from 'node:crypto'
import type { Project } from '../project/project.ts'
import { type LoadedVersion, loadVersion } from '../registry/load-version.ts'
import { type Content, encodeContent, exampleId, type ImageContent } from '../store/content.ts'

const loaded = new WeakMap<Project, Map<number, LoadedVersion>>()
let requests = 0

/** Lets the version answer these and logs it; gives the predictions' ids. */
export async function logTraffic(
  project: Project,
  version: number,
  contents: readonly Content[],
  { random = 0, role = 'champion' as 'champion' | 'shadow' } = {},
): Promise<string[]> {
  const known = loaded.get(project) ?? new Map<number, LoadedVersion>()
  loaded.set(project, known)
  const served = known.get(version) ?? (await loadVersion(project, version))
  known.set(version, served)
  const answers = await served.predict(contents)
  const { store } = project
  const ids: string[] = []
  await store.transaction(async (db) => {
    for (const [i, content] of contents.entries()) {
      const stored = encodeContent(content)
      const { uncertainty, ...output } = answers[i] as (typeof answers)[number]
      const id = hash('sha256', `request ${++requests}`).slice(0, 32)
      ids.push(id)
      await db
        .insertInto('prediction')
        .values({
          id,
          at: new Date().toISOString(),
          version,
          role,
          random,
          shadows: null,
          content: exampleId(stored),
          ...stored,
          output: JSON.stringify(output),
          uncertainty,
          milliseconds: 1,
          token: null,
        })
        .execute()
    }
  })
  return ids
}

/** A raw image turned about its middle, by degrees, counter-clockwise; black comes in at the corners. */
export function turned(content: ImageContent, degrees: number): ImageContent {
  const { bytes, width = 0, height = 0, channels = 1 } = content
  const [sin, cos] = [Math.sin((degrees * Math.PI) / 180), Math.cos((degrees * Math.PI) / 180)]
  const [cx, cy] = [(width - 1) / 2, (height - 1) / 2]
  const at = (x: number, y: number, c: number) =>
    x < 0 || y < 0 || x >= width || y >= height ? 0 : (bytes[(y * width + x) * channels + c] as number)
  const out = new Uint8Array(bytes.length)
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      const u = cos * (x - cx) - sin * (y - cy) + cx
      const v = sin * (x - cx) + cos * (y - cy) + cy
      const [left, top] = [Math.floor(u), Math.floor(v)]
      const [fx, fy] = [u - left, v - top]
      for (let c = 0; c < channels; c++)
        out[(y * width + x) * channels + c] = Math.round(
          (1 - fy) * ((1 - fx) * at(left, top, c) + fx * at(left + 1, top, c)) +
            fy * ((1 - fx) * at(left, top + 1, c) + fx * at(left + 1, top + 1, c)),
        )
    }
  return { ...content, bytes: out }
}
