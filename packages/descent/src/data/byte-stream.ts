/** Bytes from wherever they are, piece by piece, and unpacked where gzip has packed them. */
import { FormatError } from '../errors.ts'
import { joined } from './bytes.ts'
import { type FileSource, isRemote } from './file-source.ts'

const PIECE_BYTES = 1 << 18

/** The pieces of a file, unpacked. Throws FormatError for damaged gzip data and for a URL that does not answer. */
export async function* byteStream(source: FileSource, name: string): AsyncGenerator<Uint8Array> {
  const pieces = open(source)
  let first = await pieces.next()
  // Two bytes tell whether it is gzip; a stream may bring them one by one.
  while (!first.done && first.value.length < 2) {
    const next = await pieces.next()
    if (next.done) break
    first = { done: false, value: joined(first.value, next.value) }
  }
  if (first.done) return
  const { value } = first
  if (value[0] !== 0x1f || value[1] !== 0x8b) {
    try {
      yield value
      yield* pieces
    } finally {
      await pieces.return(undefined)
    }
    return
  }
  const packed = new ReadableStream<Uint8Array<ArrayBuffer>>({
    start: (controller) => controller.enqueue(value as Uint8Array<ArrayBuffer>),
    async pull(controller) {
      const next = await pieces.next()
      if (next.done) controller.close()
      else controller.enqueue(next.value as Uint8Array<ArrayBuffer>)
    },
    cancel: async () => {
      await pieces.return(undefined)
    },
  })
  try {
    yield* fromStream(packed.pipeThrough(new DecompressionStream('gzip')))
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw new FormatError(`${name}: the gzip data is damaged or truncated (${error.message}).`)
  }
}

async function* open(source: FileSource): AsyncGenerator<Uint8Array> {
  if (source instanceof Uint8Array) {
    for (let at = 0; at < source.length; at += PIECE_BYTES) yield source.subarray(at, at + PIECE_BYTES)
  } else if (source instanceof Blob) yield* fromStream(source.stream())
  else if (source instanceof ReadableStream) yield* fromStream(source)
  else if (typeof source === 'function') yield* fromStream(source())
  else if (isRemote(source)) {
    const response = await fetch(source)
    if (!response.ok || !response.body) throw new FormatError(`${source}: the server answered ${response.status}.`)
    yield* fromStream(response.body)
  } else yield* fromPath(source)
}

async function* fromPath(path: string | URL): AsyncGenerator<Uint8Array> {
  const { open: openFile } = await import('node:fs/promises')
  const file = await openFile(path)
  try {
    for (;;) {
      const { bytesRead, buffer } = await file.read(new Uint8Array(PIECE_BYTES), 0, PIECE_BYTES)
      if (bytesRead === 0) return
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await file.close()
  }
}

async function* fromStream(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      yield value
    }
  } finally {
    await reader.cancel().catch(() => {})
  }
}
