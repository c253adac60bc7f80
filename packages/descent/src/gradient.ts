/** Gradients as functions of functions, and their check against differences. */
import { cotangents, enableGrad } from './autograd.ts'
import { deviceNamed } from './backend.ts'
import { ShapeError } from './errors.ts'
import { shapeText } from './ops/op.ts'
import { Tensor } from './tensor.ts'

type TensorFunction = (...inputs: Tensor[]) => Tensor

/**
 * The function that gives the value of `fn` and its gradients with respect to every argument. The gradients are
 * themselves differentiable. Throws ShapeError where the value has more than one element.
 *
 * @example
 * ```ts
 * import { tensor, valueAndGrad } from 'descent'
 * const { value, gradients } = valueAndGrad((x) => x.mul(x).sum())(tensor([1, 2, 3]))
 * console.log(value.item()) // → 14
 * console.log(gradients[0]?.toArray()) // → [ 2, 4, 6 ]
 * ```
 */
export function valueAndGrad(fn: TensorFunction): (...inputs: Tensor[]) => { value: Tensor; gradients: Tensor[] } {
  return (...inputs) =>
    enableGrad(() => {
      const tracked = inputs.map((x) => (x.requiresGrad ? x : x.detach().requiresGrad_()))
      const value = fn(...tracked)
      if (value.size !== 1)
        throw new ShapeError(
          `grad: the function must give one element, got ${shapeText(value.shape)}. Reduce it with sum() or mean().`,
        )
      const found = value.requiresGrad
        ? cotangents([value], [value.onesLike().detach()], tracked)
        : tracked.map(() => null)
      return { value, gradients: found.map((g, i) => g ?? (tracked[i] as Tensor).zerosLike()) }
    })
}

/**
 * The function that gives the gradient of `fn` with respect to its first argument.
 *
 * @example
 * ```ts
 * import { grad, tensor } from 'descent'
 * const second = grad((x) => grad((y) => y.pow(3).sum())(x).sum())
 * console.log(second(tensor([1, 2])).toArray()) // → [ 6, 12 ]
 * ```
 */
export function grad(fn: TensorFunction): (...inputs: Tensor[]) => Tensor {
  const both = valueAndGrad(fn)
  return (...inputs) => both(...inputs).gradients[0] as Tensor
}

/**
 * Compares the gradients of Σ w·fn(…), w fixed and irregular, with central differences, in double precision on the
 * reference device. Throws an Error that names the first element that differs by more than
 * `tolerance · (1 + |difference|)`.
 *
 * @example
 * ```ts
 * import { gradCheck, tensor } from 'descent'
 * console.log(gradCheck((x) => x.tanh(), [tensor([0.5, -1])])) // → true
 * ```
 */
export function gradCheck(
  fn: TensorFunction,
  inputs: readonly Tensor[],
  options: { step?: number; tolerance?: number } = {},
): true {
  const { step = 1e-5, tolerance = 1e-6 } = options
  const device = deviceNamed('reference')
  const onReference = (x: Tensor, values: ArrayLike<number>): Tensor => {
    const storage = device.allocate(x.dtype, x.size)
    device.write(storage, 0, values)
    return Tensor.fromStorage(storage, x.shape)
  }
  const weigh: TensorFunction = (...xs) => {
    const y = fn(...xs)
    const weights = onReference(
      y,
      Float64Array.from({ length: y.size }, (_, i) => Math.sin(1 + 1.7 * i) + 1.5),
    )
    return y.mul(weights).sum()
  }
  const values = inputs.map((x) => Float64Array.from(x.values()))
  const at = (changed: readonly ArrayLike<number>[]): Tensor[] =>
    inputs.map((x, i) => onReference(x, changed[i] as ArrayLike<number>))
  const tensors = at(values)
  const differentiable = tensors.map((x) => x.dtype === 'f32')
  const partial = (...xs: Tensor[]): Tensor => {
    let next = 0
    return weigh(...tensors.map((x, i) => (differentiable[i] ? (xs[next++] as Tensor) : x)))
  }
  const { gradients } = valueAndGrad(partial)(...tensors.filter((_, i) => differentiable[i]))
  let g = 0
  inputs.forEach((_, i) => {
    if (!differentiable[i]) return
    const found = (gradients[g++] as Tensor).values()
    const own = values[i] as Float64Array
    for (let e = 0; e < own.length; e++) {
      const shifted = (by: number): number => {
        const changed = Float64Array.from(own)
        changed[e] = (own[e] as number) + by
        return weigh(...at(values.map((v, j) => (j === i ? changed : v)))).item()
      }
      const difference = (shifted(step) - shifted(-step)) / (2 * step)
      const got = found[e] as number
      if (!(Math.abs(got - difference) <= tolerance * (1 + Math.abs(difference)))) {
        throw new Error(`gradCheck: input ${i}, element ${e}: the gradient is ${got}, differences give ${difference}.`)
      }
    }
  })
  return true
}
