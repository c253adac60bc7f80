/** Margin: 1 − (p₁ − p₂) of the two likeliest classes (Scheffer et al., "Active hidden Markov models", 2001). */
import { topTwo } from './probabilities.ts'
import { className, needed, percent, widthOf } from './strategy.ts'
import { byUncertainty } from './uncertainty.ts'

export const margin = byUncertainty({
  name: 'margin',
  needs: ['probabilities'],
  otherwise: 'typical',
  scores(pool) {
    const values = needed(pool.probabilities, 'probabilities')
    const width = widthOf(values, pool.count)
    return Float64Array.from({ length: pool.count }, (_, i) => {
      const { p, q } = topTwo(values, width, i)
      return 1 - (p - q)
    })
  },
  reason(pool, index) {
    const values = needed(pool.probabilities, 'probabilities')
    const { first, second, p, q } = topTwo(values, widthOf(values, pool.count), index)
    return `the model wavers between ${className(pool, first)} (${percent(p)}) and ${className(pool, second)} (${percent(q)})`
  },
})
