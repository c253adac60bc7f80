/** Entropy: −Σ p ln p / ln K, 1 for a model that knows nothing (Shannon, 1948; Settles' survey, 2009). */
import { entropyAt, mostEntropy } from './probabilities.ts'
import { needed, percent, widthOf } from './strategy.ts'
import { byUncertainty } from './uncertainty.ts'

export const entropy = byUncertainty({
  name: 'entropy',
  needs: ['probabilities'],
  otherwise: 'typical',
  scores(pool) {
    const values = needed(pool.probabilities, 'probabilities')
    const width = widthOf(values, pool.count)
    return Float64Array.from({ length: pool.count }, (_, i) => entropyAt(values, width, i * width) / mostEntropy(width))
  },
  reason: (_, __, score) => `the model spreads its guess over the classes (${percent(score)} of the largest entropy)`,
})
