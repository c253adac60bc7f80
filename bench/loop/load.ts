/**
 * Load for a server, over plain sockets that stay open, so that this process costs little beside the server: as fast as answers come
 * (each connection asks again when it was answered), or at a given rate, where times count from when a request was due, not
 * from when it could be sent (no "coordinated omission").
 */
import { connect, type Socket } from 'node:net'

export interface Load {
  readonly port: number
  readonly connections: number
  readonly seconds: number
  /** Requests a second; as fast as answers come where it is not given. */
  readonly rate?: number
  /** Whole requests, sent in turn. */
  readonly requests: readonly Buffer[]
  /** Hears the body of each answer. */
  readonly onBody?: (body: string) => void
}

export interface LoadResult {
  readonly answered: number
  readonly perSecond: number
  /** Answers by status. */
  readonly statuses: ReadonlyMap<number, number>
  /** Requests that were sent and not answered: their connection ended. */
  readonly lost: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly worst: number
}

/** A POST as bytes. */
export function post(path: string, type: string, body: Uint8Array | string, headers = ''): Buffer {
  const bytes = Buffer.from(body)
  const head = `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: ${type}\r\nContent-Length: ${bytes.length}\r\n${headers}\r\n`
  return Buffer.concat([Buffer.from(head), bytes])
}

class Connection {
  readonly #socket: Socket
  readonly #onAnswer: (connection: Connection, status: number, since: number, body: Buffer) => void
  #since = 0
  #rest: Buffer | null = null
  busy = false

  constructor(
    port: number,
    onAnswer: (connection: Connection, status: number, since: number, body: Buffer) => void,
    onEnd: (connection: Connection) => void,
  ) {
    this.#onAnswer = onAnswer
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true })
    this.#socket.on('data', (chunk) => this.#read(chunk))
    this.#socket.on('error', () => {})
    this.#socket.on('close', () => onEnd(this))
  }

  send(request: Buffer, since: number): void {
    this.busy = true
    this.#since = since
    this.#socket.write(request)
  }

  end(): void {
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    const bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk
    const head = bytes.indexOf('\r\n\r\n')
    const length = head < 0 ? null : /content-length: (\d+)/i.exec(bytes.toString('latin1', 0, head))
    if (head < 0 || !length || bytes.length < head + 4 + Number(length[1])) {
      this.#rest = bytes
      return
    }
    this.#rest = null
    this.busy = false
    this.#onAnswer(this, Number(bytes.toString('latin1', 9, 12)), this.#since, bytes.subarray(head + 4))
  }
}

export async function load({ port, connections, seconds, rate, requests, onBody }: Load): Promise<LoadResult> {
  const times: number[] = []
  const statuses = new Map<number, number>()
  const waiting: number[] = []
  const free: Connection[] = []
  let [sent, lost, ending] = [0, 0, false]
  const next = () => requests[sent++ % requests.length] as Buffer
  const give = (connection: Connection) => {
    if (rate === undefined) {
      if (!ending) connection.send(next(), performance.now())
      return
    }
    const due = waiting.shift()
    if (due === undefined) free.push(connection)
    else connection.send(next(), due)
  }
  const all = Array.from(
    { length: connections },
    () =>
      new Connection(
        port,
        (connection, status, since, body) => {
          times.push(performance.now() - since)
          statuses.set(status, (statuses.get(status) ?? 0) + 1)
          onBody?.(body.toString())
          give(connection)
        },
        (connection) => {
          if (connection.busy && !ending) lost++
        },
      ),
  )
  const began = performance.now()
  for (const connection of all) give(connection)
  let due = 0
  while (performance.now() - began < seconds * 1000) {
    if (rate !== undefined) {
      for (; due < ((performance.now() - began) / 1000) * rate; due++) {
        const when = began + (due / rate) * 1000
        const connection = free.pop()
        if (connection) connection.send(next(), when)
        else waiting.push(when)
      }
    }
    await new Promise((resolve) => (rate === undefined ? setTimeout(resolve, 20) : setTimeout(resolve, 1)))
  }
  const elapsed = (performance.now() - began) / 1000
  const answered = times.length
  ending = true
  // What is under way is waited for, but not counted.
  for (let i = 0; i < 200 && all.some(({ busy }) => busy); i++) await new Promise((resolve) => setTimeout(resolve, 10))
  lost += all.filter(({ busy }) => busy).length
  for (const connection of all) connection.end()
  times.sort((a, b) => a - b)
  const quantile = (q: number) => times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? Number.NaN
  return {
    answered,
    perSecond: answered / elapsed,
    statuses,
    lost,
    p50: quantile(0.5),
    p99: quantile(0.99),
    worst: quantile(1),
  }
}
