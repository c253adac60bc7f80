/** What the server has done, in numbers: since its start, and in the last seconds. */

/** Answer times of so many requests are looked at. */
const ring = 4096

export interface RecentTraffic {
  /** Requests a second that were answered with a prediction. */
  readonly rate: number
  /** Milliseconds, from the request's arrival to its answer; NaN where there was none. */
  readonly p50: number
  readonly p99: number
}

export class Traffic {
  /** Answered requests by route and status: `/predict 200`. */
  readonly requests = new Map<string, number>()
  /** Inputs that were answered, by version. */
  readonly predictions = new Map<number, number>()
  /** Shadow answers by whether they agreed with the champion's, and those left out because the server was busy. */
  readonly shadow = { agreed: 0, differed: 0, skipped: 0, failed: 0 }
  swaps = 0
  readonly #times = new Float64Array(ring)
  readonly #at = new Float64Array(ring)
  #count = 0

  count(route: string, status: number): void {
    const key = `${route} ${status}`
    this.requests.set(key, (this.requests.get(key) ?? 0) + 1)
  }

  /** A request was answered with predictions. */
  answered(version: number, inputs: number, milliseconds: number, now: number): void {
    this.predictions.set(version, (this.predictions.get(version) ?? 0) + inputs)
    const slot = this.#count++ % ring
    this.#times[slot] = milliseconds
    this.#at[slot] = now
  }

  /** Requests that were answered with predictions, since the start. */
  get total(): number {
    return this.#count
  }

  /** The last `seconds`, or as far back as times are kept. */
  recent(seconds: number, now = performance.now()): RecentTraffic {
    const kept = Math.min(this.#count, ring)
    const times: number[] = []
    let oldest = now
    for (let i = 0; i < kept; i++) {
      const at = this.#at[i] as number
      if (at < now - seconds * 1000) continue
      times.push(this.#times[i] as number)
      oldest = Math.min(oldest, at)
    }
    times.sort((a, b) => a - b)
    const full = times.length === ring
    const span = full ? (now - oldest) / 1000 : seconds
    const quantile = (q: number) => times[Math.min(times.length - 1, Math.floor(q * times.length))] ?? Number.NaN
    return { rate: span > 0 ? times.length / span : 0, p50: quantile(0.5), p99: quantile(0.99) }
  }
}
