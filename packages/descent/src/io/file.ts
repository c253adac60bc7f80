/** Files in Node, loaded only when asked for, so that the library also runs where there are none. */

import { FormatError } from '../errors.ts'

async function nodeFiles() {
  try {
    return await import('node:fs/promises')
  } catch {
    throw new Error('Files can be read and written in Node only. In a browser, fetch the bytes and decode them.')
  }
}

export async function readBytes(path: string | URL): Promise<Uint8Array> {
  const { readFile } = await nodeFiles()
  return readFile(path)
}

/** The bytes at a path (in Node) or at an address that can be fetched. Throws with code 'ENOENT' where there are none. */
export async function bytesAt(source: string | URL): Promise<Uint8Array> {
  const { process } = globalThis as { process?: { versions?: { node?: string } } }
  if (process?.versions?.node && !/^(https?|data|blob):/.test(String(source))) return readBytes(source)
  const response = await fetch(source)
  if (!response.ok) {
    const error = new FormatError(`${String(source)}: the server answered ${response.status}.`)
    throw response.status === 404 ? Object.assign(error, { code: 'ENOENT' }) : error
  }
  return new Uint8Array(await response.arrayBuffer())
}

export async function makeFolder(path: string): Promise<void> {
  const { mkdir } = await nodeFiles()
  await mkdir(path, { recursive: true })
}

/**
 * Writes a whole file or nothing: to a temporary name beside it, flushed to the disk, then renamed. A crash at any
 * moment leaves the old file or the new one.
 */
export async function writeBytes(path: string, bytes: Uint8Array): Promise<void> {
  const { open, rename, rm } = await nodeFiles()
  const temporary = `${path}.${Date.now().toString(36)}${Math.random().toString(36).slice(2, 8)}.tmp`
  try {
    const file = await open(temporary, 'wx')
    try {
      await file.writeFile(bytes)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

/** Runs `fn`, and puts the file's name before what an error says. */
export function named<T>(path: string | URL, fn: () => T): T {
  const rename = (error: unknown): never => {
    if (error instanceof Error) error.message = `${path}: ${error.message}`
    throw error
  }
  try {
    const result = fn()
    return result instanceof Promise ? (result.catch(rename) as T) : result
  } catch (error) {
    return rename(error)
  }
}
