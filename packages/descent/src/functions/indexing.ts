/** Places given by values. */
import { ShapeError } from '../errors.ts'
import * as elementwise from '../ops/elementwise.ts'
import * as indexing from '../ops/indexing.ts'
import { normalizeAxis, requireDType, shapeText } from '../ops/op.ts'
import { type AxisIndex, Tensor } from '../tensor.ts'

/**
 * The same i32 values, with the promise that each lies in 0…size−1: otherwise an IndexError names the first that does
 * not, in compiled functions after the run, whose updates of state are not made.
 */
export function checkIndex(x: Tensor, size: number, label: string): Tensor {
  return x.apply(elementwise.checkIndex, { size, label })
}

export function indexSelect(x: Tensor, dim: number, index: Tensor): Tensor {
  const axis = normalizeAxis('indexSelect', dim, x.ndim)
  if (index.ndim !== 1)
    throw new ShapeError(`indexSelect: the index must have one dimension, got ${shapeText(index.shape)}.`)
  const count = index.shape[0] as number
  const spread = index
    .reshape(x.shape.map((_, d) => (d === axis ? count : 1)))
    .expand(x.shape.map((extent, d) => (d === axis ? count : extent)))
  return x.apply(indexing.gather, { axis, label: 'indexSelect' }, spread)
}

export function index(x: Tensor, specs: readonly (AxisIndex | Tensor)[]): Tensor {
  let result = x
  specs.forEach((spec, d) => {
    if (!(spec instanceof Tensor)) return
    const places = spec.ndim === 1 ? spec : spec.reshape([-1])
    if (spec.ndim !== 1)
      throw new ShapeError(`index: a tensor of places must have one dimension, got ${shapeText(spec.shape)}.`)
    result = indexSelect(result, d, places)
  })
  return result.slice(...specs.map((spec) => (spec instanceof Tensor ? null : spec)))
}

export function sort(x: Tensor, dim: number, descending: boolean): { values: Tensor; indices: Tensor } {
  if (x.ndim === 0) return { values: x, indices: x.detach().int().mul(0) }
  const axis = normalizeAxis('sort', dim, x.ndim)
  const last = x.ndim - 1
  const order = x.detach().transpose(axis, last).apply(indexing.argsort, { descending }).transpose(axis, last)
  return { values: x.gather(axis, order), indices: order }
}

export function topk(x: Tensor, k: number, dim: number, largest: boolean): { values: Tensor; indices: Tensor } {
  const axis = normalizeAxis('topk', dim, x.ndim)
  const extent = x.shape[axis] as number
  if (!Number.isInteger(k) || k < 0 || k > extent)
    throw new ShapeError(`topk: k = ${k} must be from 0 to ${extent}, the extent of dimension ${axis}.`)
  const { indices } = sort(x.detach(), axis, largest)
  const best = indices.slice(...x.shape.map((_, d) => (d === axis ? ([0, k] as const) : null)))
  return { values: x.gather(axis, best), indices: best }
}

export function oneHot(x: Tensor, classes: number): Tensor {
  requireDType('oneHot', x, 'i32')
  const shape = [...x.shape, classes]
  const spread = checkIndex(x, classes, 'oneHot').unsqueeze(-1).expand(shape)
  return spread.eq(spread.positions([x.ndim])).int()
}
