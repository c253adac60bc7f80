/**
 * What kernels are written with, whatever the machine: the code of one function, over whole numbers, vectors of `lanes`
 * elements of 32 bits, and masks of as many truth values. WebAssembly writes it with 4 lanes, x64 with 8 or 16.
 *
 * Written as for a stack machine: `get` and the like push, instructions pop their operands (the last pushed is the
 * last operand) and push their result. Methods say so as `operands → result`.
 */
import type { Expr } from '../../kernel/expr.ts'

/**
 * `int`: a whole number within the range of i32, or an address; what would leave that range is not defined.
 * `vector`: lanes of f32 or i32. `mask`: a truth value for each lane.
 */
export type Kind = 'int' | 'vector' | 'mask'

/** Code that was written apart (see `redirect`); its form is the machine's own affair. */
export type Written = unknown[]

/** What `br` and `brIf` go to: the end of a block, the start of a loop. */
export type Label = number

export type IntOp =
  | 'add'
  | 'sub'
  | 'mul'
  | 'and'
  | 'or'
  | 'xor'
  | 'shl'
  | 'shr_s'
  | 'shr_u'
  | 'div_s'
  | 'div_u'
  | 'rem_s'
  | 'rem_u'
  | 'eqz'
  | 'eq'
  | 'ne'
  | 'lt_s'
  | 'lt_u'
  | 'gt_s'
  | 'gt_u'
  | 'le_s'
  | 'le_u'
  | 'ge_s'
  | 'ge_u'

/** `max` and `min` give NaN where one side is NaN, and +0 is larger than -0. */
export type FloatOp = 'add' | 'sub' | 'mul' | 'div' | 'max' | 'min'
/** `nearest`: ties to even. */
export type FloatUnary = 'neg' | 'abs' | 'sqrt' | 'floor' | 'ceil' | 'nearest'
/** Wrapping; `max_s`, `min_s` signed, `min_u` unsigned; `mulhi`: the high words of the unsigned products. */
export type WholeOp = 'add' | 'sub' | 'mul' | 'and' | 'or' | 'xor' | 'max_s' | 'min_s' | 'min_u' | 'mulhi'
export type Comparison = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'

/** A function of the program that is being written. */
export interface Callable {
  /** Unique within the program. */
  readonly index: number
}

export interface Code extends Callable {
  readonly lanes: number

  // Locals. A new local's value is not defined.
  local(kind: Kind): number
  /** Gives locals back: a later `local` of the same kind may return them. */
  release(...locals: number[]): void
  /** Releases, after `write`, the locals that it took and did not release. */
  borrow(write: () => void): void
  get(local: number): this
  set(local: number): this
  tee(local: number): this

  /** An empty piece of code to be written apart. */
  apart(): Written
  /** What is written from now on goes to the end of `code`; returns where it went before. */
  redirect(code: Written): Written
  /** Puts here what was written apart: once. */
  append(code: Written): this

  // Control flow. `block`, `loop` and `if` open a label; `end` closes the innermost. Nothing stays on the stack over them
  // but the one int that an `if('int')` with its `else` leaves.
  block(): Label
  loop(): Label
  /** condition → */
  if(result?: 'int'): Label
  else(): this
  end(): this
  br(label: Label): this
  /** condition → */
  brIf(label: Label): this
  return(): this
  /** parameters → */
  call(callee: Callable): this

  // Whole numbers and addresses.
  constant(value: number): this
  int(op: IntOp): this
  /** a b condition → a where the condition is not 0, else b. */
  pick(): this
  /** address → the i32 at address + offset. */
  loadInt(offset?: number): this
  /** address value → */
  storeInt(offset?: number): this
  /** address → the address that stands in word `word` of a table of addresses (see target.ts). */
  loadAddress(word: number): this
  /** to from → ; copies a constant number of bytes. */
  copyBytes(bytes: number): this

  // Vectors.
  splatF32(value: number): this
  splatI32(value: number): this
  /** The given values, one a lane. */
  lanesI32(values: readonly number[]): this
  /** int → all lanes hold it. */
  splat(): this
  /** vector → lane 0, as a whole number. */
  firstLane(): this
  /** vector int → the vector with that number in lane j. */
  withLane(j: number): this
  float(op: FloatOp): this
  floatUnary(op: FloatUnary): this
  /** a b → b where a < b (max) or b < a (min), else a: NaN where a is NaN. */
  quick(op: 'max' | 'min'): this
  /** a b c → a·b + c, rounded once where the machine can (see Target.fused). */
  multiplyAdd(): this
  /** a b c → c − a·b, likewise. */
  multiplySubtract(): this
  compareF32(op: Comparison): this
  whole(op: WholeOp): this
  wholeUnary(op: 'neg' | 'abs'): this
  compareI32(op: Comparison): this
  /** vector → shifted by a constant; `shr` fills with zeros. */
  shift(op: 'shl' | 'shr', by: number): this
  /** values amounts → each lane shifted by its own amount modulo 32. */
  shiftLanes(op: 'shl' | 'shr'): this
  /** f32 → i32, truncated and saturated; NaN gives 0. */
  truncate(): this
  /** i32 → f32 */
  convert(): this
  /** a b mask → a where set, else b. */
  choose(): this
  /** vector → lane j holds what lane (j + by) mod lanes held. */
  rotate(by: number): this

  /** → a vector whose first four lanes are the sums of all lanes of each of four vectors (locals) of f32. */
  sumsOfLanes(a: number, b: number, c: number, d: number): this

  // Masks.
  maskConstant(value: boolean): this
  /** Set in the first `count` lanes. */
  maskFirst(count: number): this
  mask(op: 'and' | 'or' | 'xor' | 'not'): this
  /** vector of i32 → where it is not 0. */
  nonzero(): this
  /** mask → a vector of 1 (of that type) where set, else 0. */
  ones(dtype: 'f32' | 'i32'): this
  /** mask → an int that is not 0 where one of the first `count` lanes is set. */
  any(count: number): this

  // Memory. Offsets are bytes. `active`: how many of the first lanes count; what the others get is not defined, and
  // nothing is written for them.
  /** address → the elements from there on. */
  loadVector(offset: number, active: number): this
  /** The same, but lanes that do not count are 0. */
  loadOrZero(offset: number, active: number): this
  /** address → ; a hint that the cache line there will be read. The address may lie anywhere. */
  prefetch(offset: number): this
  /** address → all lanes hold the element there. */
  loadSplat(offset: number): this
  /** address → lane j: the element `elements[j]` further (constants). */
  loadLanes(elements: readonly number[], offset: number, active: number): this
  /** address vector → lane j: the element at address + 4 · (lane j of the i32 vector). */
  gather(active: number): this
  /** address int → lane j: element int + j, but anything where that is not in [0, length): there nothing is read. */
  loadInside(length: number, active: number): this
  /** address vector → as `gather`, but anything where the lane is not in [0, length): there nothing is read. */
  gatherInside(length: number, active: number): this
  /** address vector → */
  storeVector(offset: number, active: number): this
  /**
   * address vector → ; all lanes. For what is not read again soon: past the caches where the machine can, so that memory is
   * not first read for the sake of being overwritten.
   */
  streamVector(offset: number): this
  /** address vector → ; lane j only. */
  storeLane(j: number, offset: number): this
  /** address vector → ; lane j at the element `elements[j]` further (constants). */
  storeLanes(elements: readonly number[], offset: number, active: number): this
  /** address positions values → ; lane j at address + 4 · position, in the order of the lanes. */
  scatter(active: number): this
  /**
   * vector mask → ; if a lane that counts is set, notes check `id` and the vector's value in the first such lane in the
   * program's error record, unless a failure stands there already. `scratch`: local with the thread's scratch address.
   */
  noteFailure(id: number, active: number, scratch: number): this
}

/** Leaves the vector or mask of an expression on the stack. */
export type EmitValue = (e: Expr) => void
