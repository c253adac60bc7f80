/**
 * Tensor: what the user holds. A shape, a dtype, and either values in a device's storage (seen through strides, so
 * that views share it) or, while compile() traces, a node of the program. Every method is an operation of `ops/`, or
 * a few of them; the longer ones live in `functions/`.
 */
import { applyOp } from './apply.ts'
import * as autograd from './autograd.ts'
import { currentDevice } from './backend.ts'
import type { Device, DeviceName, Storage } from './devices/device.ts'
import { contiguousStrides, type DType, type Meta, type Shape, sameShape, sizeOf } from './dtype.ts'
import { gatherView } from './eager.ts'
import { DTypeError, ShapeError, TraceError } from './errors.ts'
import { formatTensor } from './format.ts'
import * as F from './functions/index.ts'
import type { Node } from './graph/graph.ts'
import * as elementwise from './ops/elementwise.ts'
import * as indexing from './ops/indexing.ts'
import * as movement from './ops/movement.ts'
import { broadcastShapes, normalizeAxis, type OpDef, shapeText } from './ops/op.ts'
import * as reduce from './ops/reduce.ts'
import { activeTrace, type Stored, type Trace } from './trace.ts'

/** Where a tensor is expected, a number stands for the same value everywhere. */
export type Operand = Tensor | number
export type Dims = number | readonly number[] | null
export type Nested = number | boolean | readonly Nested[]
/** One axis of an index: all of it, one place (the axis goes), or from start to stop by step. */
export type AxisIndex = null | number | readonly [start: number | null, stop: number | null, step?: number]

interface Traced {
  readonly trace: Trace
  readonly node: Node
}

const NONE: Record<string, never> = {}

/**
 * Numbers in a block of any number of dimensions: `shape` says how many along each, `dtype` of which kind (f32, i32,
 * bool). Made by `tensor`, `zeros`, `randn`…; every method gives a new tensor, but those whose names end in `_`, which
 * change this one. Source: torch.Tensor.
 *
 * @example
 * ```ts
 * import { tensor } from 'descent'
 * const x = tensor([[1, 2, 3], [4, 5, 6]])
 * console.log(x.shape, x.ndim, x.size, x.dtype) // → [ 2, 3 ] 2 6 f32
 * console.log(x.mul(2).sum(0).toArray()) // → [ 10, 14, 18 ]
 * console.log(x.matmul(x.t()).toArray()) // → [ [ 14, 32 ], [ 32, 77 ] ]
 * ```
 */
export class Tensor {
  readonly shape: Shape
  readonly dtype: DType
  readonly #values: Stored | Traced
  readonly #device: Device
  /** How it came from other tensors; null for leaves. */
  readonly derivation: autograd.Derivation | null
  #requiresGrad: boolean
  #grad: Tensor | null = null

  /** Dimensions over which it is known to sum to zero, rounding aside. For the library's own use. */
  sumsToZeroOver: readonly number[] | null = null

  /** For the library's own use; make tensors with `tensor`, `zeros`, `randn`… */
  constructor(device: Device, meta: Meta, values: Stored | Traced, derivation: autograd.Derivation | null = null) {
    this.#device = device
    this.shape = meta.shape
    this.dtype = meta.dtype
    this.#values = values
    this.derivation = derivation
    this.#requiresGrad = derivation !== null
  }

  /** Row-major values in storage. For the library's own use. */
  static fromStorage(storage: Storage, shape: Shape): Tensor {
    const stored = { storage, strides: contiguousStrides(shape), offset: 0 }
    return new Tensor(storage.device, { shape, dtype: storage.dtype }, stored)
  }

  /** A node of a traced program. For the library's own use. */
  static traced(trace: Trace, node: Node): Tensor {
    return new Tensor(currentDevice(), node, { trace, node })
  }

  /** How many dimensions it has. */
  get ndim(): number {
    return this.shape.length
  }
  /** How many elements it has. */
  get size(): number {
    return sizeOf(this.shape)
  }
  /** The name of the device that holds its values. */
  get device(): DeviceName {
    return this.#device.name
  }
  /** Whether gradients flow to it. Settable on leaves of dtype f32. */
  get requiresGrad(): boolean {
    return this.#requiresGrad
  }
  set requiresGrad(on: boolean) {
    if (this.derivation && !on) throw new Error('requiresGrad can be taken from leaves only; use detach().')
    if (on && this.dtype !== 'f32') throw new DTypeError(`Only f32 tensors can have gradients, not ${this.dtype}.`)
    this.#requiresGrad = on
  }
  /** Sets `requiresGrad` and returns the tensor. */
  requiresGrad_(on = true): this {
    this.requiresGrad = on
    return this
  }

  /** The sum of the gradients that `backward` has sent here, for leaves with `requiresGrad`. */
  get grad(): Tensor | null {
    const trace = activeTrace()
    return trace ? trace.gradientOf(this, this.#grad, (g) => Tensor.fromStorage(g.stored.storage, g.shape)) : this.#grad
  }
  set grad(gradient: Tensor | null) {
    const set = activeTrace()?.gradientsSet
    if (set && !set.has(this)) set.set(this, this.#grad)
    this.#grad = gradient
  }

  // ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Its values outside of a trace. For the library's own use. */
  get stored(): Stored {
    if ('storage' in this.#values) return this.#values
    throw new TraceError(
      `The values of this tensor ${shapeText(this.shape)} are not known yet: compile() is tracing the function. ` +
        'Return the tensor from the compiled function and read it outside, or use where() instead of a condition.',
    )
  }

  /** Whether it stands for a value of a program that compile() traces, and has none of its own. */
  get isTraced(): boolean {
    return 'node' in this.#values
  }

  /** For the library's own use. */
  isTracedBy(trace: Trace): boolean {
    return 'node' in this.#values && this.#values.trace === trace
  }

  /** A fresh copy of the values, row-major: Float32Array, Int32Array, or Uint8Array for bool. */
  data(): Float32Array | Int32Array | Uint8Array {
    const values = this.values()
    if (this.dtype === 'f32') return values instanceof Float32Array ? values : Float32Array.from(values)
    return this.dtype === 'bool' ? Uint8Array.from(values) : (values as Int32Array)
  }

  /** As `data`, but f32 values of the reference device keep their double precision. */
  values(): Float32Array | Float64Array | Int32Array {
    if (activeTrace()) this.#refuseToRead()
    return gatherView(this.#device, this.stored, this.shape)
  }

  #refuseToRead(): never {
    throw new TraceError(
      'A value cannot be read while compile() traces the function: the trace would keep it for ever. ' +
        'Return the tensor and read it outside, or pass the value as an argument.',
    )
  }

  /** As `data`, for devices whose memory cannot be read at once too. */
  async read(): Promise<Float32Array | Int32Array | Uint8Array> {
    return this.data()
  }

  /** The value of a tensor of one element. */
  item(): number {
    if (this.size !== 1)
      throw new ShapeError(
        `item(): needs a tensor of one element, got ${shapeText(this.shape)}. Use data() or toArray().`,
      )
    return this.values()[0] as number
  }

  /** Nested arrays of numbers, or of booleans for bool. */
  toArray(): Nested {
    const values = this.values()
    const bool = this.dtype === 'bool'
    let at = 0
    const build = (d: number): Nested => {
      if (d === this.ndim) {
        const value = values[at++] as number
        return bool ? value !== 0 : value
      }
      return Array.from({ length: this.shape[d] as number }, () => build(d + 1))
    }
    return build(0)
  }

  /** Shape, dtype and values, those of large tensors in part. */
  toString(): string {
    return formatTensor(this)
  }
  [Symbol.for('nodejs.util.inspect.custom')](): string {
    return this.toString()
  }

  // ── in place ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Overwrites the values, which broadcast and convert. Inside compile() it becomes an update of the plan's state. */
  copy_(source: Tensor | ArrayLike<number>): this {
    F.copyInto(this, source)
    return this
  }
  /** Overwrites every value with this one. */
  fill_(value: number): this {
    F.copyInto(this, value)
    return this
  }
  /** Overwrites every value with 0. */
  zero_(): this {
    return this.fill_(0)
  }

  // ── gradients ────────────────────────────────────────────────────────────────────────────────────────────────

  /** The same values, without their history. */
  detach(): Tensor {
    return new Tensor(this.#device, this, this.#values)
  }
  /** A copy in storage of its own. */
  clone(): Tensor {
    return this.ndim === 0
      ? this.reshape([1]).apply(movement.cat, { axis: 0 }).reshape([])
      : this.apply(movement.cat, { axis: 0 })
  }
  /**
   * Sends the gradient of this tensor to the `.grad` of every leaf that it came from. `cotangent` is needed where it
   * has more than one element.
   */
  backward(cotangent?: Tensor): void {
    if (!this.requiresGrad) throw new Error('backward(): no tensor with requiresGrad led to this one.')
    if (!cotangent && this.size !== 1) {
      throw new ShapeError(
        `backward(): ${shapeText(this.shape)} has more than one element; reduce it with sum() or mean(), or give a cotangent.`,
      )
    }
    autograd.backward(this, cotangent ?? this.detach().onesLike())
  }

  /** An operation on this tensor and others. For the library's own use. */
  apply<A>(op: OpDef<A>, attrs: A, ...rest: readonly Tensor[]): Tensor {
    return applyOp(this.#device, op, attrs, [this, ...rest])
  }

  /** This tensor as a node of the active trace. For the library's own use. */
  nodeIn(trace: Trace): Node {
    if ('storage' in this.#values) return trace.read(this.#values, this.shape)
    if (this.#values.trace !== trace) {
      throw new TraceError(
        'This tensor belongs to an earlier trace: it was made inside a compiled function and kept. Return it from the function instead.',
      )
    }
    return this.#values.node
  }

  /**
   * The same values as a node that nothing else is, so that what was made from a gradient can be told from what
   * happens to compute the same. Sums and products are told apart as they are. For the library's own use.
   */
  distinctIn(trace: Trace): Tensor {
    const node = this.nodeIn(trace)
    return node.lowering.kind === 'map' ? Tensor.traced(trace, trace.graph.copy(node)) : this
  }

  /** A number, or a tensor, as a tensor of the dtype that it has beside this one. For the library's own use. */
  operand(x: Operand): Tensor {
    if (typeof x !== 'number') return x
    return F.scalar(
      this.#device,
      this.dtype === 'i32' && Number.isInteger(x) ? 'i32' : this.dtype === 'bool' ? 'bool' : 'f32',
      x,
    )
  }
  /** Ones of this shape and dtype. */
  onesLike(): Tensor {
    return F.scalar(this.#device, this.dtype, 1).expand(this.shape)
  }
  /** Zeros of this shape and dtype. */
  zerosLike(): Tensor {
    return F.scalar(this.#device, this.dtype, 0).expand(this.shape)
  }
  /** The row-major number of each element over some axes alone: i32. For the library's own use. */
  positions(axes: readonly number[]): Tensor {
    return applyOp(this.#device, indexing.positions, { shape: this.shape, axes }, [])
  }

  // ── elementwise ──────────────────────────────────────────────────────────────────────────────────────────────

  #binary(op: OpDef<typeof NONE>, other: Operand, float = false): Tensor {
    const [a, b] = F.promote(this, this.operand(other), float)
    if (sameShape(a.shape, b.shape)) return a.apply(op, NONE, b)
    const shape = b.ndim === 0 ? a.shape : broadcastShapes(op.name, a.shape, b.shape)
    return F.expand(a, shape).apply(op, NONE, F.expand(b, shape))
  }
  #float(): Tensor {
    return this.to('f32')
  }

  /** x + other, broadcasting: shapes are aligned at their last dimension, and extents of 1 repeat. Throws ShapeError where they do not fit. */
  add(other: Operand): Tensor {
    return this.#binary(elementwise.add, other)
  }
  /** x − other, broadcasting. */
  sub(other: Operand): Tensor {
    return this.#binary(elementwise.sub, other)
  }
  /** x · other element by element, broadcasting. The product of matrices is `matmul`. */
  mul(other: Operand): Tensor {
    return this.#binary(elementwise.mul, other)
  }
  /** Always f32. */
  div(other: Operand): Tensor {
    return this.#binary(elementwise.div, other, true)
  }
  /** Always f32. Small whole exponents become products. */
  pow(exponent: Operand): Tensor {
    return F.power(this.#float(), exponent) ?? this.#binary(elementwise.pow, exponent, true)
  }
  /** The larger of both, broadcasting; NaN where one is. */
  maximum(other: Operand): Tensor {
    return this.#binary(elementwise.maximum, other)
  }
  /** The smaller of both, broadcasting; NaN where one is. */
  minimum(other: Operand): Tensor {
    return this.#binary(elementwise.minimum, other)
  }
  /** bool: x < other, broadcasting. */
  lt(other: Operand): Tensor {
    return this.#binary(elementwise.lt, other)
  }
  /** bool: x ≤ other, broadcasting. */
  le(other: Operand): Tensor {
    return this.#binary(elementwise.le, other)
  }
  /** bool: x > other, broadcasting. */
  gt(other: Operand): Tensor {
    return this.#binary(elementwise.gt, other)
  }
  /** bool: x ≥ other, broadcasting. */
  ge(other: Operand): Tensor {
    return this.#binary(elementwise.ge, other)
  }
  /** bool: x = other, broadcasting. */
  eq(other: Operand): Tensor {
    return this.#binary(elementwise.eq, other)
  }
  /** bool: x ≠ other, broadcasting. */
  ne(other: Operand): Tensor {
    return this.#binary(elementwise.ne, other)
  }
  /** bool: both hold (are not 0), broadcasting. */
  logicalAnd(other: Tensor): Tensor {
    return this.bool().#binary(elementwise.logicalAnd, other.bool())
  }
  /** bool: one or both hold, broadcasting. */
  logicalOr(other: Tensor): Tensor {
    return this.bool().#binary(elementwise.logicalOr, other.bool())
  }
  /** bool: it does not hold (is 0). */
  logicalNot(): Tensor {
    return this.bool().apply(elementwise.logicalNot, NONE)
  }
  /** −x. */
  neg(): Tensor {
    return this.apply(elementwise.neg, NONE)
  }
  /** |x|; the gradient at 0 is 0. */
  abs(): Tensor {
    return this.apply(elementwise.abs, NONE)
  }
  /** −1, 0 or 1. */
  sign(): Tensor {
    return this.apply(elementwise.sign, NONE)
  }
  /** eˣ. */
  exp(): Tensor {
    return this.#float().apply(elementwise.exp, NONE)
  }
  /** The natural logarithm; NaN below 0, −∞ at 0. */
  log(): Tensor {
    return this.#float().apply(elementwise.log, NONE)
  }
  /** The logarithm to base 2. */
  log2(): Tensor {
    return this.#float().apply(elementwise.log2, NONE)
  }
  /** log(1 + x), exact for small x. */
  log1p(): Tensor {
    return this.#float().apply(elementwise.log1p, NONE)
  }
  /** eˣ − 1, exact for small x. */
  expm1(): Tensor {
    return this.#float().apply(elementwise.expm1, NONE)
  }
  /** √x; NaN below 0. */
  sqrt(): Tensor {
    return this.#float().apply(elementwise.sqrt, NONE)
  }
  /** 1 / √x. */
  rsqrt(): Tensor {
    return this.#float().apply(elementwise.rsqrt, NONE)
  }
  /** x². */
  square(): Tensor {
    return this.#float().apply(elementwise.square, NONE)
  }
  /** 1 / x. */
  reciprocal(): Tensor {
    return this.#float().apply(elementwise.reciprocal, NONE)
  }
  /** The sine of x in radians. */
  sin(): Tensor {
    return this.#float().apply(elementwise.sin, NONE)
  }
  /** The cosine of x in radians. */
  cos(): Tensor {
    return this.#float().apply(elementwise.cos, NONE)
  }
  /** The tangent of x in radians. */
  tan(): Tensor {
    return this.#float().apply(elementwise.tan, NONE)
  }
  /** The angle in radians, from −π/2 to π/2, whose tangent is x. */
  atan(): Tensor {
    return this.#float().apply(elementwise.atan, NONE)
  }
  /** (eˣ − e⁻ˣ) / 2. */
  sinh(): Tensor {
    return this.#float().apply(elementwise.sinh, NONE)
  }
  /** (eˣ + e⁻ˣ) / 2. */
  cosh(): Tensor {
    return this.#float().apply(elementwise.cosh, NONE)
  }
  /** (eˣ − e⁻ˣ) / (eˣ + e⁻ˣ), from −1 to 1. */
  tanh(): Tensor {
    return this.#float().apply(elementwise.tanh, NONE)
  }
  /** 1 / (1 + e⁻ˣ), from 0 to 1. */
  sigmoid(): Tensor {
    return this.#float().apply(elementwise.sigmoid, NONE)
  }
  /** The error function 2/√π ∫₀ˣ exp(−t²) dt. */
  erf(): Tensor {
    return this.#float().apply(elementwise.erf, NONE)
  }
  /** max(x, 0); the gradient at 0 is 0. */
  relu(): Tensor {
    return this.#float().apply(elementwise.relu, NONE)
  }
  /** The largest whole number ≤ x, as f32. */
  floor(): Tensor {
    return this.#float().apply(elementwise.floor, NONE)
  }
  /** The smallest whole number ≥ x, as f32. */
  ceil(): Tensor {
    return this.#float().apply(elementwise.ceil, NONE)
  }
  /** To the nearest whole number, ties to even. */
  round(): Tensor {
    return this.#float().apply(elementwise.round, NONE)
  }
  /** Limits values to [low, high]; gradients flow where low ≤ x ≤ high. NaN stays. */
  clamp(low?: number | null, high?: number | null): Tensor {
    return F.clamp(this, low ?? null, high ?? null)
  }
  /** Where this (bool) holds `a`, elsewhere `b`. */
  where(a: Operand, b: Operand): Tensor {
    return F.where(this, a, b)
  }
  /** The same values in another dtype. */
  to(dtype: DType): Tensor {
    return this.dtype === dtype ? this : this.apply(elementwise.cast, { dtype })
  }
  /** As f32; true becomes 1. */
  float(): Tensor {
    return this.to('f32')
  }
  /** Truncates; NaN becomes 0. No gradient flows through whole numbers. */
  int(): Tensor {
    return this.to('i32')
  }
  /** Whether each value is other than 0. */
  bool(): Tensor {
    return this.to('bool')
  }

  // ── reductions: over `dim` (all without it), which go unless keepdim ─────────────────────────────────────────

  /** The sum; of bool how many hold, as i32. */
  sum(dim: Dims = null, keepdim = false): Tensor {
    return F.reduceOver(this.dtype === 'bool' ? this.int() : this, reduce.sum, dim, keepdim)
  }
  /** The mean, as f32. */
  mean(dim: Dims = null, keepdim = false): Tensor {
    const total = F.reduceOver(this.#float(), reduce.sum, dim, keepdim)
    return total.div(this.size / Math.max(total.size, 1))
  }
  /** The product. */
  prod(dim: Dims = null, keepdim = false): Tensor {
    return F.reduceOver(this, reduce.prod, dim, keepdim)
  }
  /** The largest value; equal ones share the gradient. */
  amax(dim: Dims = null, keepdim = false): Tensor {
    return F.reduceOver(this, reduce.amax, dim, keepdim)
  }
  /** The smallest value; equal ones share the gradient. */
  amin(dim: Dims = null, keepdim = false): Tensor {
    return F.reduceOver(this, reduce.amin, dim, keepdim)
  }
  /** The largest value; along a dimension the first of equal ones takes the gradient, over all they share it. */
  max(dim: Dims = null, keepdim = false): Tensor {
    return F.reduceOver(this, dim === null ? reduce.amax : reduce.max, dim, keepdim)
  }
  /** The smallest value; along a dimension the first of equal ones takes the gradient, over all they share it. */
  min(dim: Dims = null, keepdim = false): Tensor {
    return F.reduceOver(this, dim === null ? reduce.amin : reduce.min, dim, keepdim)
  }
  /** i32: where the first largest value is. */
  argmax(dim: number | null = null, keepdim = false): Tensor {
    return F.reduceOver(this.detach(), reduce.argmax, dim, keepdim)
  }
  /** i32: where the first smallest value is. */
  argmin(dim: number | null = null, keepdim = false): Tensor {
    return F.reduceOver(this.detach(), reduce.argmin, dim, keepdim)
  }
  /** Σ (x − mean)² / (n − correction), correction 1 without it (Bessel's). */
  variance(dim: Dims = null, options: { correction?: number; keepdim?: boolean } = {}): Tensor {
    return F.variance(this.#float(), dim, options.correction ?? 1, options.keepdim ?? false)
  }
  /** x − mean(x) over `dim`. */
  center(dim: Dims = null): Tensor {
    return F.center(this.#float(), F.axesOf('center', this, dim))
  }
  /** √variance. */
  std(dim: Dims = null, options: { correction?: number; keepdim?: boolean } = {}): Tensor {
    return this.variance(dim, options).sqrt()
  }
  /** log Σ exp(x), safe for large values. */
  logsumexp(dim: Dims = null, keepdim = false): Tensor {
    return F.logsumexp(this.#float(), dim, keepdim)
  }
  /** (Σ |x|^ord)^(1/ord); ord may be Infinity. */
  norm(ord = 2, dim: Dims = null, keepdim = false): Tensor {
    return F.norm(this.#float(), ord, dim, keepdim)
  }
  /** Sums of everything up to each place along `dim`. */
  cumsum(dim: number): Tensor {
    return this.apply(reduce.cumsum, { axis: normalizeAxis('cumsum', dim, this.ndim) })
  }
  /** Products of everything up to each place along `dim`. */
  cumprod(dim: number): Tensor {
    return this.apply(reduce.cumprod, { axis: normalizeAxis('cumprod', dim, this.ndim) })
  }
  /** exp(x) / Σ exp(x), safe for large values. */
  softmax(dim: number): Tensor {
    return F.softmax(this.#float(), normalizeAxis('softmax', dim, this.ndim))
  }
  /** log softmax(x), safe for large values. */
  logSoftmax(dim: number): Tensor {
    return F.logSoftmax(this.#float(), normalizeAxis('logSoftmax', dim, this.ndim))
  }

  // ── movement ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** Another shape over the same elements in row-major order; one extent may be -1. A view where possible. */
  reshape(...shape: readonly (number | readonly number[])[]): Tensor {
    return F.reshape(this, shape.flat())
  }
  /** Dimensions from `start` to `end`, both included, as one. */
  flatten(start = 0, end = -1): Tensor {
    return F.flatten(this, start, end)
  }
  /** Dimensions in another order. A view. */
  permute(...dims: readonly (number | readonly number[])[]): Tensor {
    return F.permute(this, dims.flat())
  }
  /** Two dimensions exchanged. A view. */
  transpose(a: number, b: number): Tensor {
    return F.transpose(this, a, b)
  }
  /** A matrix turned over its diagonal. */
  t(): Tensor {
    return this.ndim < 2 ? this : F.transpose(this, -2, -1)
  }
  /** Repeats axes of extent 1; -1 keeps an extent. A view. */
  expand(...shape: readonly (number | readonly number[])[]): Tensor {
    return F.expand(this, shape.flat())
  }
  /** Without the dimensions of extent 1, or without `dim` where that is one. A view. */
  squeeze(dim?: number): Tensor {
    return F.squeeze(this, dim)
  }
  /** With a dimension of extent 1 at `dim`. A view. */
  unsqueeze(dim: number): Tensor {
    return F.unsqueeze(this, dim)
  }
  /** Backwards along these dimensions. */
  flip(dims: number | readonly number[]): Tensor {
    return F.flip(this, typeof dims === 'number' ? [dims] : dims)
  }
  /** Moved by `shift` places along `dim`; what leaves at the end enters at the beginning. */
  roll(shift: number, dim: number): Tensor {
    return F.roll(this, shift, dim)
  }
  /** One entry an axis: null (all), a place, or [start, stop, step]; negative places count from the end. A view. */
  slice(...specs: readonly AxisIndex[]): Tensor {
    return F.slice(this, specs)
  }
  /** As `slice`, where an entry may also be an i32 tensor of places along its axis. */
  index(...specs: readonly (AxisIndex | Tensor)[]): Tensor {
    return F.index(this, specs)
  }
  /** Parts of `size` (the last may be smaller), or of the given sizes. */
  split(size: number | readonly number[], dim = 0): Tensor[] {
    return F.split(this, size, dim)
  }
  /** [..., N, M] → [..., min(N, M)]: the elements whose last two places are equal. */
  diagonal(): Tensor {
    return this.apply(movement.diagonal, NONE)
  }
  /** [before last, after last, before second last, …], as PyTorch. */
  pad(
    widths: readonly number[],
    options: { mode?: 'constant' | 'reflect' | 'replicate'; value?: number } = {},
  ): Tensor {
    return F.pad(this, widths, options.mode ?? 'constant', options.value ?? 0)
  }
  /** The lower triangle of matrices [..., N, M], zero above the diagonal (or the one `diagonal` places above it). */
  tril(diagonal = 0): Tensor {
    return F.triangle(this, diagonal, 'lower')
  }
  /** The upper triangle of matrices [..., N, M], zero below the diagonal (or the one `diagonal` places above it). */
  triu(diagonal = 0): Tensor {
    return F.triangle(this, diagonal, 'upper')
  }
  /** Windows over the last axes: [..., S…] → [..., O…, K…]. A view. */
  windows(sizes: readonly number[], strides: readonly number[], dilations?: readonly number[]): Tensor {
    return F.windows(
      this,
      sizes.map((size, i) => ({ size, stride: strides[i] ?? 1, dilation: dilations?.[i] ?? 1 })),
    )
  }

  // ── products, indexing, order ────────────────────────────────────────────────────────────────────────────────

  /** [..., M, K] × [..., K, N] → [..., M, N], batches broadcasting; vectors as in NumPy. */
  matmul(other: Tensor): Tensor {
    return F.matmul(this, other)
  }
  /** out[i][j] = x[index[i][j]][j] along `dim`. Throws IndexError for an index outside. */
  gather(dim: number, index: Tensor): Tensor {
    return this.apply(indexing.gather, { axis: normalizeAxis('gather', dim, this.ndim), label: 'gather' }, index)
  }
  /** Whole slices along `dim` at the places of a one-dimensional i32 tensor. */
  indexSelect(dim: number, index: Tensor): Tensor {
    return F.indexSelect(this, dim, index)
  }
  /** A copy to which source[i][j] is added at [index[i][j]][j], along `dim`. Throws IndexError for an index outside. */
  scatterAdd(dim: number, index: Tensor, source: Tensor): Tensor {
    return this.apply(indexing.scatterAdd, { axis: normalizeAxis('scatterAdd', dim, this.ndim) }, index, source)
  }
  /** The k largest (or smallest) values along `dim`, in order, and their places. */
  topk(k: number, dim = -1, largest = true): { values: Tensor; indices: Tensor } {
    return F.topk(this, k, dim, largest)
  }
  /** The values along `dim` in order, and where they stood. Equal ones keep their order. */
  sort(dim = -1, descending = false): { values: Tensor; indices: Tensor } {
    return F.sort(this, dim, descending)
  }
  /** i32 [...] → i32 [..., classes]. Throws IndexError for a class outside. */
  oneHot(classes: number): Tensor {
    return F.oneHot(this, classes)
  }
}
