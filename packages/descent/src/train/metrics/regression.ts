/** How far outputs lie from their targets. */
import type { Tensor } from '../../tensor.ts'
import { type AccumulatingMetric, requireSome, sameShape } from './accumulating.ts'

abstract class MeanOf implements AccumulatingMetric {
  abstract readonly name: string
  #sum = 0
  #count = 0

  protected abstract of(difference: number): number

  reset(): void {
    this.#sum = 0
    this.#count = 0
  }

  update(output: Tensor, target: Tensor): void {
    const [got, want] = sameShape(this.name, output, target)
    let sum = 0
    for (let i = 0; i < got.length; i++) sum += this.of((got[i] as number) - (want[i] as number))
    this.#sum += sum
    this.#count += got.length
  }

  compute(): number {
    requireSome(this.name, this.#count)
    return this.#sum / this.#count
  }
}

/**
 * The mean absolute error: Σ|y − t| / n over all elements, in the unit of the target. Any shape, the same for both;
 * throws ShapeError otherwise. Source: sklearn.metrics.mean_absolute_error.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const mae = new metrics.MAE()
 * mae.update(tensor([1, 2]), tensor([2, 5]))
 * console.log(mae.compute()) // → 2
 * ```
 */
export class MAE extends MeanOf {
  override readonly name = 'MAE'
  protected override of(difference: number): number {
    return Math.abs(difference)
  }
}

/**
 * The mean squared error: Σ(y − t)² / n over all elements. As MAE. Source: sklearn.metrics.mean_squared_error.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const mse = new metrics.MSE()
 * mse.update(tensor([1, 2]), tensor([2, 5]))
 * console.log(mse.compute()) // → 5
 * ```
 */
export class MSE extends MeanOf {
  override readonly name: string = 'MSE'
  protected override of(difference: number): number {
    return difference * difference
  }
}

/**
 * The root of the mean squared error, in the unit of the target: √MSE. As MAE. Source:
 * sklearn.metrics.root_mean_squared_error.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const rmse = new metrics.RMSE()
 * rmse.update(tensor([3, 4]), tensor([0, 0]))
 * console.log(rmse.compute().toFixed(4)) // → 3.5355
 * ```
 */
export class RMSE extends MSE {
  override readonly name = 'RMSE'
  override compute(): number {
    return Math.sqrt(super.compute())
  }
}

/** A column of the targets: their mean and squares around it (Welford's way), and the squares of the errors. */
interface ColumnSums {
  mean: number
  around: number
  errors: number
}

/**
 * R², the share of the targets' variance that the outputs explain: 1 − Σ(y − t)² / Σ(t − t̄)², 1 at best, 0 for always
 * saying the mean, below for worse. [N] or [N, ...]; of several columns it is the mean. A column of equal targets gives
 * 1 where every output is right and 0 otherwise; one example gives NaN. Throws ShapeError for different shapes. Source:
 * sklearn.metrics.r2_score.
 *
 * @example
 * ```ts
 * import { metrics, tensor } from 'descent'
 * const r2 = new metrics.R2()
 * r2.update(tensor([2.5, 0, 2, 8]), tensor([3, -0.5, 2, 7]))
 * console.log(r2.compute().toFixed(4)) // → 0.9486
 * ```
 */
export class R2 implements AccumulatingMetric {
  readonly name = 'R2'
  #columns: ColumnSums[] = []
  #count = 0

  reset(): void {
    this.#columns = []
    this.#count = 0
  }

  update(output: Tensor, target: Tensor): void {
    const [got, want] = sameShape(this.name, output, target)
    const examples = target.shape[0] ?? 1
    const width = examples === 0 ? 0 : target.size / examples
    if (width === 0) return
    if (this.#count > 0 && width !== this.#columns.length)
      throw new RangeError(`R2: a batch has ${width} columns, those before ${this.#columns.length}.`)
    while (this.#columns.length < width) this.#columns.push({ mean: 0, around: 0, errors: 0 })
    for (let i = 0; i < examples; i++) {
      this.#count++
      for (const [c, column] of this.#columns.entries()) {
        const t = want[i * width + c] as number
        const before = t - column.mean
        column.mean += before / this.#count
        column.around += before * (t - column.mean)
        column.errors += ((got[i * width + c] as number) - t) ** 2
      }
    }
  }

  compute(): number {
    requireSome(this.name, this.#count)
    if (this.#count < 2) return Number.NaN
    const each = this.#columns.map(({ around, errors }) => (around === 0 ? Number(errors === 0) : 1 - errors / around))
    return each.reduce((a, b) => a + b) / each.length
  }
}
