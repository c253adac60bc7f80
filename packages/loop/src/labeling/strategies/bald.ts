/**
 * BALD: what a label would tell about the model, as the mutual information of the answer and the network's weights,
 * estimated from S passes with dropout: (H(mean p) − mean H(p)) / ln K. High where each pass is sure of its answer and the
 * passes contradict each other; low where all say the same, also where all are unsure. Houlsby et al., "Bayesian active
 * learning for classification and preference learning", 2011; Gal, Islam and Ghahramani, 2017.
 */
import { entropyAt, mostEntropy } from './probabilities.ts'
import { needed, type Pool, percent } from './strategy.ts'
import { byUncertainty } from './uncertainty.ts'

function classCount(pool: Pool): number {
  return pool.classes?.length ?? needed(pool.probabilities, 'probabilities').length / pool.count
}

export const bald = byUncertainty({
  name: 'bald',
  needs: ['samples'],
  otherwise: 'entropy',
  scores(pool) {
    const values = needed(pool.samples, 'samples')
    const { count } = pool
    if (count === 0) return new Float64Array()
    const width = classCount(pool)
    const passes = values.length / (count * width)
    const mean = new Float64Array(width)
    return Float64Array.from({ length: count }, (_, i) => {
      mean.fill(0)
      let each = 0
      for (let s = 0; s < passes; s++) {
        const at = (s * count + i) * width
        for (let c = 0; c < width; c++) mean[c] = (mean[c] as number) + (values[at + c] as number) / passes
        each += entropyAt(values, width, at)
      }
      return Math.max(0, entropyAt(mean, width, 0) - each / passes) / mostEntropy(width)
    })
  },
  reason: (_, __, score) =>
    `with dropout the model contradicts itself (${percent(score)} of the information that a label can have)`,
})
