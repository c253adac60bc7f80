/**
 * Content-addressed files: each lies under the SHA-256 of its bytes (`files/ab/abcdef…`), is written to a temporary name and
 * renamed, and never changes. Writing the same content twice is writing it once.
 */
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { UserError } from '../errors.ts'

export class Files {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** Where content of this hash lies, whether or not it is there. */
  path(hash: string): string {
    return join(this.folder, hash.slice(0, 2), hash)
  }

  /** Keeps the bytes; gives their hash. */
  async put(bytes: Uint8Array): Promise<string> {
    const hash = createHash('sha256').update(bytes).digest('hex')
    const path = this.path(hash)
    if (await exists(path)) return hash
    await mkdir(join(this.folder, hash.slice(0, 2)), { recursive: true }).catch((error: unknown) => {
      throw explainWrite(error, path)
    })
    await writeWhole(path, bytes)
    return hash
  }

  /** @throws {UserError} where the file is missing, or is not what its name says. */
  async get(hash: string): Promise<Uint8Array> {
    const path = this.path(hash)
    let bytes: Uint8Array
    try {
      bytes = await readFile(path)
    } catch {
      throw new UserError(`The project's file ${path} is missing: put it back from a copy, or import its source again.`)
    }
    if (createHash('sha256').update(bytes).digest('hex') !== hash) {
      throw new UserError(
        `The project's file ${path} was changed or damaged: its content no longer has the hash in its name. Put it back from a copy.`,
      )
    }
    return bytes
  }

  async has(hash: string): Promise<boolean> {
    return exists(this.path(hash))
  }

  /** Removes what killed processes left under temporary names more than a day ago. */
  async sweep(now = Date.now()): Promise<void> {
    for (const folder of await readdir(this.folder).catch((): string[] => [])) {
      for (const name of await readdir(join(this.folder, folder)).catch((): string[] => [])) {
        const path = join(this.folder, folder, name)
        if (!name.endsWith(partial)) continue
        const { mtimeMs } = await stat(path).catch(() => ({ mtimeMs: now }))
        if (now - mtimeMs > 24 * 3600_000) await rm(path, { force: true })
      }
    }
  }
}

const partial = '.partial'

/** Writes a file so that it is there whole or not at all, also after a power failure. */
export async function writeWhole(path: string, content: Uint8Array | string): Promise<void> {
  const temporary = `${path}.${randomUUID().slice(0, 8)}${partial}`
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(content)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw explainWrite(error, path)
  }
}

/** What it means to a person that a file cannot be written, where there is no room for it. */
export function explainWrite(error: unknown, path: string): unknown {
  const { code = '' } = error as NodeJS.ErrnoException
  if (!['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) return error
  return new UserError(
    `The disk is full: ${path} cannot be written. What was reported as done is kept; make room and run the command again.`,
  )
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}
