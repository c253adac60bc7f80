/** A version's main figure in a few words. */
import type { VersionMetrics } from './metrics.ts'

const percent = (value: number) => `${(100 * value).toFixed(2)} %`
const plain = (value: number) => String(Number(value.toPrecision(4)))

/** `97.50 % right (95 % interval 93.10 % to 99.20 %) on 120 test examples` */
export function shown({ split, examples, ...judged }: VersionMetrics): string {
  const on = `on ${examples.toLocaleString('en')} ${split} examples`
  if (judged.task === 'class') {
    const { estimate, low, high } = judged.metrics.accuracy
    return `${percent(estimate)} right (95 % interval ${percent(low)} to ${percent(high)}) ${on}`
  }
  const { estimate, low, high } = judged.metrics.mae
  return `mean absolute error ${plain(estimate)} (95 % interval ${plain(low)} to ${plain(high)}) ${on}`
}
