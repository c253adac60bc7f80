/** Reads a request's body, no more of it than is allowed. */
import type { IncomingMessage } from 'node:http'
import { RequestError } from './request-error.ts'

const empty = Buffer.alloc(0)

/**
 * @param limit bytes
 * @throws {RequestError} 413 where it is larger, 415 where it is compressed, 400 where the sender went away
 */
export function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const tooLarge = () =>
    new RequestError(413, `The body is larger than ${limit.toLocaleString('en')} bytes, which is the limit here.`, {
      connection: 'close',
    })
  return new Promise((resolve, reject) => {
    const encoding = request.headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') {
      throw new RequestError(415, `The body is compressed (${encoding}): send it as it is.`, { connection: 'close' })
    }
    const length = request.headers['content-length']
    if (length !== undefined && Number(length) > limit) throw tooLarge()
    let first: Buffer | null = null
    let rest: Buffer[] | null = null
    let size = 0
    request.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > limit) {
        request.removeAllListeners('data')
        request.pause()
        reject(tooLarge())
      } else if (first === null) first = chunk
      else if (rest === null) rest = [first, chunk]
      else rest.push(chunk)
    })
    request.on('end', () => resolve(rest ? Buffer.concat(rest) : (first ?? empty)))
    request.on('error', () => reject(new RequestError(400, 'The connection was closed before the body had come.')))
  })
}
