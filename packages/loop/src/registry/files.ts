/**
 * What a version keeps in its folder: `model.safetensors` (with `model.json` where the architecture can be written down, and
 * the network's code where it has some), `settings.json`, `features.json`, `signature.json`, `calibration.json`,
 * `golden.json`, `lineage.json`, and `card.md`. The hash of each but the card, which people go on writing, stands in the
 * database.
 */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FeaturesState } from '../architecture/features.ts'
import { UserError } from '../errors.ts'
import type { Signature } from '../training/files.ts'
import type { Calibration } from './calibration.ts'
import type { Golden } from './golden.ts'
import type { Lineage } from './lineage.ts'
import type { VersionSignature } from './served-model.ts'

/** Each JSON file, and what it holds. */
export interface VersionFiles {
  readonly 'settings.json': Signature
  readonly 'features.json': FeaturesState
  readonly 'signature.json': VersionSignature
  readonly 'calibration.json': Calibration
  readonly 'golden.json': Golden
  readonly 'lineage.json': Lineage
}

export const cardName = 'card.md'
export const goldenName = 'golden.json'

/** Reads one of a version's JSON files. Its hash was checked before, so that it holds what was written. */
export async function readVersionFile<N extends keyof VersionFiles>(folder: string, name: N): Promise<VersionFiles[N]> {
  return JSON.parse(await readFile(join(folder, name), 'utf8')) as VersionFiles[N]
}

/** SHA-256 and size of each file in a folder, by name. */
export async function hashFolder(folder: string): Promise<{ files: Record<string, string>; bytes: number }> {
  const files: Record<string, string> = {}
  let bytes = 0
  for (const name of (await readdir(folder)).sort()) {
    const content = await readFile(join(folder, name))
    files[name] = sha256(content)
    bytes += content.length
  }
  return { files, bytes }
}

/** @throws {UserError} names the first file that is missing, or is not what was registered */
export async function checkFiles(
  version: number,
  folder: string,
  files: Readonly<Record<string, string>>,
  run: number,
): Promise<void> {
  const remedy = `Put it back from a copy, or register run ${run} again.`
  for (const [name, hash] of Object.entries(files)) {
    const path = join(folder, name)
    const content = await readFile(path).catch((error: NodeJS.ErrnoException) => {
      throw new UserError(
        `Version ${version} cannot be loaded: ${path} ${error.code === 'ENOENT' ? 'is gone' : `cannot be read (${error.message})`}. ${remedy}`,
      )
    })
    const found = sha256(content)
    if (found !== hash)
      throw new UserError(
        `Version ${version} cannot be loaded: ${path} is not what was registered (its SHA-256 is ${found.slice(0, 12)}…, not ${hash.slice(0, 12)}…). ${remedy}`,
      )
  }
}

export function sha256(content: Uint8Array | string): string {
  return createHash('sha256').update(content).digest('hex')
}
