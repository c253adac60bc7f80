/** Where a file is. */

/**
 * Where a file is: a path (in Node), a URL (in a browser also a relative one), its bytes, a Blob or File, a stream of bytes, or a function that opens one
 * anew each time. A text of the form `https://…` is a URL.
 */
export type FileSource =
  | string
  | URL
  | Uint8Array
  | Blob
  | ReadableStream<Uint8Array>
  | (() => ReadableStream<Uint8Array>)

/** A source's name in errors. */
export function sourceName(source: FileSource, otherwise: string): string {
  if (typeof source === 'string') return source
  if (source instanceof URL) return source.protocol === 'file:' ? decodeURIComponent(source.pathname) : source.href
  return source instanceof Blob && 'name' in source ? String(source.name) : otherwise
}

/** Whether it is a URL to be fetched; in a browser every name is one. */
export function isRemote(source: string | URL): boolean {
  return typeof process === 'undefined' || !process.versions?.node || /^(https?|data|blob):/.test(String(source))
}

/** Whether it can be read more than once. */
export function rereadable(source: FileSource): boolean {
  return !(source instanceof ReadableStream)
}
