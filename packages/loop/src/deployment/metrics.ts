/** The server's numbers for Prometheus: text format 0.0.4, by prom-client. Most are read off when they are asked for. */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { LogCounts } from './log/log.ts'
import type { Traffic } from './traffic.ts'

export interface MetricSources {
  readonly traffic: Traffic
  readonly log: () => LogCounts | null
  /** Inputs that wait. */
  readonly waiting: () => number
  /** The champion's number. */
  readonly version: () => number
}

export class Metrics {
  readonly #registry = new Registry()
  readonly #seconds: Histogram
  readonly #batches: Histogram
  readonly #feedback: Counter

  constructor({ traffic, log, waiting, version }: MetricSources) {
    const registers = [this.#registry]
    collectDefaultMetrics({ register: this.#registry, eventLoopMonitoringPrecision: 50 })
    this.#seconds = new Histogram({
      name: 'descent_request_seconds',
      help: 'Time from the arrival of a request for predictions to its answer.',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1, 5],
      registers,
    })
    this.#batches = new Histogram({
      name: 'descent_batch_inputs',
      help: 'Inputs that were computed together.',
      buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256],
      registers,
    })
    this.#feedback = new Counter({
      name: 'descent_feedback_total',
      help: 'What was said about predictions.',
      labelNames: ['agrees'],
      registers,
    })
    counter('descent_requests_total', 'Answered requests.', ['route', 'status'], () =>
      [...traffic.requests].map(([key, value]) => {
        const [route = '', status = ''] = key.split(' ')
        return { labels: { route, status }, value }
      }),
    )
    counter('descent_predictions_total', 'Answered inputs.', ['version'], () =>
      [...traffic.predictions].map(([number, value]) => ({ labels: { version: String(number) }, value })),
    )
    counter('descent_shadow_total', "A challenger's answers beside the champion's.", ['outcome'], () =>
      Object.entries(traffic.shadow).map(([outcome, value]) => ({ labels: { outcome }, value })),
    )
    counter('descent_champion_swaps_total', 'Champions taken over while running.', [], () => [
      { labels: {}, value: traffic.swaps },
    ])
    counter('descent_log_predictions_total', 'Predictions handed to the log.', ['outcome'], () => {
      const counts = log()
      return counts === null
        ? []
        : [
            { labels: { outcome: 'written' }, value: counts.written },
            { labels: { outcome: 'dropped' }, value: counts.dropped },
          ]
    })
    counter('descent_log_removed_total', 'Predictions removed by age or size.', [], () => [
      { labels: {}, value: log()?.removed ?? 0 },
    ])
    gauge('descent_log_waiting', 'Predictions not yet on the disk.', () => log()?.waiting ?? 0)
    gauge('descent_queue_inputs', 'Inputs that wait for their batch.', waiting)
    gauge('descent_champion_version', 'The number of the version that answers.', version)

    function counter(
      name: string,
      help: string,
      labelNames: string[],
      read: () => { labels: Record<string, string>; value: number }[],
    ): void {
      new Counter({
        name,
        help,
        labelNames,
        registers,
        collect() {
          this.reset()
          for (const { labels, value } of read()) this.inc(labels, value)
        },
      })
    }
    function gauge(name: string, help: string, read: () => number): void {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read())
        },
      })
    }
  }

  readonly contentType = 'text/plain; version=0.0.4; charset=utf-8'

  answered(milliseconds: number): void {
    this.#seconds.observe(milliseconds / 1000)
  }

  batch(size: number): void {
    this.#batches.observe(size)
  }

  feedback(agrees: boolean): void {
    this.#feedback.inc({ agrees: String(agrees) })
  }

  text(): Promise<string> {
    return this.#registry.metrics()
  }
}
