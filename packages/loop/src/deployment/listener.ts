/**
 * The HTTP server itself, on node:http: a router with standard requests and streams in front of it cost more than half of the requests a
 * second. It sends replies and errors, refuses what comes too slowly or is no HTTP, and ends without dropping a request.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, isIPv6, type Socket } from 'node:net'
import { UserError } from '../errors.ts'
import { shortened } from './json.ts'
import { RequestError } from './request-error.ts'
import { answerRequest, type Reply, routeName } from './routes.ts'
import type { Service } from './service.ts'

/** How long a connection may be silent between two requests. */
const keepAlive = 30_000
/** Connections at a time. */
const connections = 4096
/** What is read of a body that was refused, so that its sender hears why. */
const discarded = 32e6

export class Listener {
  readonly #service: Service
  readonly #server: Server
  readonly #onError: (error: unknown) => void
  #draining = false

  private constructor(service: Service, onError: (error: unknown) => void) {
    this.#service = service
    this.#onError = onError
    const time = service.parts.settings.timeoutSeconds * 1000
    this.#server = createServer({
      requestTimeout: time,
      headersTimeout: time,
      keepAliveTimeout: keepAlive,
      connectionsCheckingInterval: Math.min(500, time / 2),
      maxHeaderSize: 16_384,
    })
    this.#server.maxConnections = connections
    this.#server.on('request', (request, response) => void this.#handle(request, response))
    this.#server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
      // A body that is too large is refused before it is sent.
      if (!(Number(request.headers['content-length'] ?? 0) > service.parts.settings.maxBodyMegabytes * 1e6))
        response.writeContinue()
      void this.#handle(request, response)
    })
    this.#server.on('clientError', (error: NodeJS.ErrnoException, socket) => this.#refuse(error, socket as Socket))
  }

  /** @throws {UserError} where the address is taken or not this machine's */
  static async open(service: Service, onError: (error: unknown) => void): Promise<Listener> {
    const listener = new Listener(service, onError)
    const { host, port } = service.parts.settings
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', (error: NodeJS.ErrnoException) => reject(explained(error, host, port)))
      listener.#server.listen(port, host, resolve)
    })
    return listener
  }

  /** `http://127.0.0.1:8080` */
  get address(): string {
    const { address, port } = this.#server.address() as AddressInfo
    return `http://${isIPv6(address) ? `[${address}]` : address}:${port}`
  }

  /** Takes no more connections, answers what was asked, and ends. */
  async close(): Promise<void> {
    this.#draining = true
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeIdleConnections()
    const patience = setTimeout(
      () => this.#server.closeAllConnections(),
      2000 * this.#service.parts.settings.timeoutSeconds,
    )
    await closed
    clearTimeout(patience)
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const began = performance.now()
    const url = request.url ?? '/'
    const mark = url.indexOf('?')
    const path = mark < 0 ? url : url.slice(0, mark)
    const query = mark < 0 ? '' : url.slice(mark + 1)
    let reply: Reply
    try {
      reply = await answerRequest({ request, service: this.#service, path, query, began })
    } catch (error) {
      reply = this.#errorReply(error)
    }
    this.#service.parts.traffic.count(path === '/predict' ? path : routeName(path), reply.status)
    this.#send(request, response, reply)
  }

  #errorReply(error: unknown): Reply {
    if (error instanceof RequestError) return errorReply(error.status, error.message, error.headers)
    // Contents that passed the checks but cannot be encoded: a picture that ends half-way, for example.
    if (error instanceof UserError) return errorReply(400, error.message)
    this.#onError(error)
    return errorReply(500, 'The server made a mistake; it is written down where it runs.')
  }

  #send(request: IncomingMessage, response: ServerResponse, { status, body, type, headers }: Reply): void {
    if (response.destroyed) return
    response.statusCode = status
    response.setHeader('content-type', type ?? 'application/json')
    response.setHeader('content-length', Buffer.byteLength(body))
    response.setHeader('x-content-type-options', 'nosniff')
    if (headers) for (const key of Object.keys(headers)) response.setHeader(key, headers[key] as string)
    if (this.#draining) response.setHeader('connection', 'close')
    response.end(request.method === 'HEAD' ? undefined : body)
    if (!request.complete) discardRest(request)
  }

  /** What is no HTTP, has too long headers, or comes too slowly. */
  #refuse(error: NodeJS.ErrnoException, socket: Socket): void {
    if (!socket.writable || error.code === 'ECONNRESET') return void socket.destroy()
    const [status, phrase, message] = refusal(error, this.#service.parts.settings.timeoutSeconds)
    this.#service.parts.traffic.count('other', status)
    const body = JSON.stringify({ error: message })
    socket.end(
      `HTTP/1.1 ${status} ${phrase}\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
      () => socket.destroySoon(),
    )
  }
}

export function errorReply(status: number, message: string, headers: Readonly<Record<string, string>> = {}): Reply {
  return { status, body: JSON.stringify({ error: message }), headers }
}

/** Reads on for a while without keeping anything: a connection that is closed at once would lose the answer. */
function discardRest(request: IncomingMessage): void {
  let size = 0
  request.on('data', (chunk: Buffer) => {
    size += chunk.length
    if (size > discarded) request.socket.destroy()
  })
  request.on('error', () => {})
  request.resume()
}

function refusal({ code, message }: NodeJS.ErrnoException, seconds: number): readonly [number, string, string] {
  switch (code) {
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return [408, 'Request Timeout', `The request did not come within ${seconds} s.`]
    case 'HPE_HEADER_OVERFLOW':
      return [431, 'Request Header Fields Too Large', 'The headers are longer than 16,384 bytes.']
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return [413, 'Payload Too Large', 'The chunk extensions are too long.']
    default:
      return [400, 'Bad Request', `This is no HTTP request: ${shortened(message.replace(/^Parse Error: /, ''), 100)}.`]
  }
}

function explained(error: NodeJS.ErrnoException, host: string, port: number): unknown {
  switch (error.code) {
    case 'EADDRINUSE':
      return new UserError(`Port ${port} is taken: stop what listens there, or choose another with --port.`)
    case 'EACCES':
      return new UserError(`Port ${port} may not be listened at: choose one from 1024 on.`)
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
      return new UserError(`${host} is no address of this machine.`)
    default:
      return error
  }
}
