/**
 * Decides whether a request may pass: by its token, by how many the token has asked in the last minute, and on a loopback address
 * by the name under which it was asked.
 *
 * Without a token only programs of this machine may ask. A web page that someone has open could ask too, under a name that
 * its owner lets point to 127.0.0.1 (DNS rebinding): so the host must be a name of this machine.
 */
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { RequestError } from './request-error.ts'
import { type KnownToken, tokenHash } from './tokens.ts'

/** Requests left, refilled evenly over the minute up to the whole of it (a token bucket). */
interface Allowance {
  left: number
  at: number
}

const localNames = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?$/i

export class Gatekeeper {
  readonly #required: boolean
  #tokens: readonly (KnownToken & { readonly bytes: Buffer })[] = []
  readonly #allowances = new Map<string, Allowance>()

  /** @param required whether a request without a token is refused */
  constructor(required: boolean) {
    this.#required = required
  }

  update(tokens: readonly KnownToken[]): void {
    this.#tokens = tokens.map((token) => ({ ...token, bytes: Buffer.from(token.hash, 'hex') }))
    const names = new Set(tokens.map(({ name }) => name))
    for (const name of this.#allowances.keys()) if (!names.has(name)) this.#allowances.delete(name)
  }

  /**
   * The name of the token that asks; null where none is needed.
   * @throws {RequestError} 401, 403 or 429
   */
  admit({ headers }: IncomingMessage, now = performance.now()): string | null {
    const { authorization } = headers
    if (authorization === undefined) {
      if (this.#required)
        throw new RequestError(401, 'A token is needed: send the header "Authorization: Bearer descent_…".', {
          'www-authenticate': 'Bearer',
        })
      if (headers.host !== undefined && !localNames.test(headers.host))
        throw new RequestError(403, 'Without a token, only localhost may be asked, by this name or as 127.0.0.1.')
      return null
    }
    const token = /^bearer +([\w-]{1,200})$/i.exec(authorization)?.[1]
    const known = token === undefined ? null : this.#find(token)
    if (!known)
      throw new RequestError(401, 'The token is not known here, or was revoked.', {
        'www-authenticate': 'Bearer error="invalid_token"',
      })
    if (known.perMinute !== null) this.#spend(known.name, known.perMinute, now)
    return known.name
  }

  /** Compares with every token, each in the same time whatever it is. */
  #find(token: string): KnownToken | null {
    const bytes = Buffer.from(tokenHash(token), 'hex')
    let found: KnownToken | null = null
    for (const known of this.#tokens) if (timingSafeEqual(bytes, known.bytes)) found = known
    return found
  }

  #spend(name: string, perMinute: number, now: number): void {
    const allowance = this.#allowances.get(name) ?? { left: perMinute, at: now }
    this.#allowances.set(name, allowance)
    allowance.left = Math.min(perMinute, allowance.left + ((now - allowance.at) / 60_000) * perMinute)
    allowance.at = now
    if (allowance.left < 1) {
      const seconds = Math.ceil(((1 - allowance.left) / perMinute) * 60)
      throw new RequestError(
        429,
        `The token '${name}' may ask ${perMinute} times a minute: try again in ${seconds} s.`,
        { 'retry-after': String(seconds) },
      )
    }
    allowance.left--
  }
}
