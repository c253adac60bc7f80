/** What is wrong with a request: a status from 400 on, and one sentence. */

export class RequestError extends Error {
  override name = 'RequestError'
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message)
    this.status = status
    this.headers = headers
  }
}
