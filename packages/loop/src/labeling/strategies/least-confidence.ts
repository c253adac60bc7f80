/** Least confidence: 1 − max p (Lewis and Gale, "A sequential algorithm for training text classifiers", 1994). */
import { topTwo } from './probabilities.ts'
import { className, needed, percent, widthOf } from './strategy.ts'
import { byUncertainty } from './uncertainty.ts'

export const leastConfidence = byUncertainty({
  name: 'leastConfidence',
  needs: ['probabilities'],
  otherwise: 'typical',
  scores(pool) {
    const values = needed(pool.probabilities, 'probabilities')
    const width = widthOf(values, pool.count)
    return Float64Array.from({ length: pool.count }, (_, i) => 1 - topTwo(values, width, i).p)
  },
  reason(pool, index) {
    const values = needed(pool.probabilities, 'probabilities')
    const { first, p } = topTwo(values, widthOf(values, pool.count), index)
    return `the model's best answer, ${className(pool, first)}, is only ${percent(p)} likely`
  },
})
