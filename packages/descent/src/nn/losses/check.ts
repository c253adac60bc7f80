/** What losses ask of their arguments. Shapes must be equal: broadcasting [N, 1] against [N] would compare all with all. */
import { type Shape, sameShape } from '../../dtype.ts'
import { DTypeError, ShapeError } from '../../errors.ts'
import { checkIndex } from '../../functions/indexing.ts'
import { shapeText } from '../../ops/op.ts'
import type { Tensor } from '../../tensor.ts'

/** f32 predictions, and a target of the same shape and any dtype, which is given back as f32. */
export function sameShaped(loss: string, input: Tensor, target: Tensor, name = 'target'): Tensor {
  requireFloat(loss, 'input', input)
  if (!sameShape(input.shape, target.shape)) {
    const hint = input.size === target.size ? ' Reshape one of them to the shape of the other.' : ''
    throw new ShapeError(
      `${loss}: input ${shapeText(input.shape)} and ${name} ${shapeText(target.shape)} differ.${hint}`,
    )
  }
  return target.float()
}

export function requireFloat(loss: string, name: string, x: Tensor): void {
  if (x.dtype === 'f32') return
  throw new DTypeError(
    `${loss}: ${name} ${shapeText(x.shape)} is ${x.dtype}; losses take f32. Convert it with .float().`,
  )
}

/** A target of one value for each row, as f32. */
export function onePerRow(loss: string, rows: Shape, target: Tensor): Tensor {
  if (!sameShape(target.shape, rows)) {
    throw new ShapeError(
      `${loss}: target ${shapeText(target.shape)} must hold one value for each pair, ${shapeText(rows)}.`,
    )
  }
  return target.float()
}

/** Along which axis the classes lie: of predictions [N, C, ...], or [C] alone. `name` says what they predict. */
export function classAxis(loss: string, name: string, input: Tensor): number {
  requireFloat(loss, name, input)
  const axis = input.ndim === 1 ? 0 : 1
  if (!input.shape[axis]) throw new ShapeError(`${loss}: takes ${name} [N, C, ...], got ${shapeText(input.shape)}.`)
  return axis
}

/** Classes as i32, one for each place of the input but along the axis of classes. `or` says what else would do. */
export function requireClasses(loss: string, name: string, input: Tensor, target: Tensor, axis: number, or = ''): void {
  const rows = input.shape.filter((_, d) => d !== axis)
  const text = `${loss}: ${name} ${shapeText(input.shape)} and target ${shapeText(target.shape)} ${target.dtype}`
  if (!sameShape(target.shape, rows)) throw new ShapeError(`${text}: needs classes ${shapeText(rows)} i32${or}.`)
  if (target.dtype !== 'i32') throw new DTypeError(`${text}: classes are whole numbers; convert them with .int().`)
}

/** Where the class of each row stands: bool, of the input's shape. Throws IndexError for classes outside of 0…C−1. */
export function chosenClasses(loss: string, input: Tensor, target: Tensor, axis: number): Tensor {
  const counted = checkIndex(target, input.shape[axis] as number, `${loss} target`)
  return input.detach().positions([axis]).eq(counted.unsqueeze(axis))
}

/** Weights [C], laid along the axis of classes. */
export function classWeight(loss: string, weight: Tensor | undefined, input: Tensor, axis: number): Tensor | null {
  if (!weight) return null
  const classes = input.shape[axis] as number
  if (weight.ndim !== 1 || weight.size !== classes) {
    throw new ShapeError(
      `${loss}: weight ${shapeText(weight.shape)} must hold one factor for each class, [${classes}].`,
    )
  }
  return weight.reshape(input.shape.map((_, d) => (d === axis ? classes : 1)))
}

export function requireAtLeast(loss: string, name: string, value: number, least: number, strictly = false): void {
  if (strictly ? value > least : value >= least) return
  throw new RangeError(`${loss}: ${name} must be ${strictly ? 'above' : 'at least'} ${least}, not ${value}.`)
}
