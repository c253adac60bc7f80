/**
 * Matrix products: chooses how (packed, or, where that does not pay, unpacked), and puts the parts together.
 */
import { type Expr, mapExpr, walkExprs } from '../../kernel/expr.ts'
import { div, type Index, mod, substitute, variable, variablesOf } from '../../kernel/index-expr.ts'
import type { Axis, GemmKernel } from '../../kernel/kernel.ts'
import type { Callable, Code } from './code.ts'
import { ExprEmitter } from './emit-expr.ts'
import { emitEpilogue } from './gemm-epilogue.ts'
import type { Packer } from './gemm-layout.ts'
import { smallAsLoops } from './gemm-loops.ts'
import type { EvaluateBound } from './gemm-machine.ts'
import { analyseOperand, type Operand, type OperandLoad, Tables } from './gemm-operand.ts'
import { emitPacked } from './gemm-packed.ts'
import { emitColumnPack, emitGroupPack, type GeneralOperand } from './gemm-slow-pack.ts'
import { emitThin, mostVectors, thinDirection } from './gemm-thin.ts'
import { chooseTiling, type Problem, sumsOf } from './gemm-tiling.ts'
import { emitLoops } from './loops.ts'
import type { EmittedKernel, Target } from './target.ts'

const [bind, scratch] = [2, 3]

export function emitGemm(given: GemmKernel, target: Target): EmittedKernel {
  const small = smallAsLoops(given, target.lanes, target.gemm)
  if (small) return emitLoops(small, target)
  const kernel = foldBatch(given)
  const tables = new Tables()
  const machine = target.gemm
  const size = {
    batch: kernel.batch.reduce((points, axis) => points * axis.size, 1),
    m: kernel.m.size,
    n: kernel.n.size,
    k: kernel.k.size,
  }
  const panels = machine.panels(size.m, size.n, sumsOf(size))
  const width = Math.max(panels.columns, panels.height)
  const a = analyseOperand(kernel.a, kernel.m, kernel.k, tables, width)
  const b = analyseOperand(kernel.b, kernel.n, kernel.k, tables, width)
  const problem: Problem = {
    ...size,
    batchedA: a ? a.batched : dependsOn(kernel.a, kernel.batch),
    fixed: kernel.fixed ?? null,
  }
  const sharedWord = kernel.buffers.length
  const thin = problem.m <= mostVectors ? 'm' : problem.n <= mostVectors ? 'n' : null
  const matrix = thin === 'm' ? b : a
  if (thin && matrix && thinDirection(matrix)) {
    const vectors = thin === 'm' ? a : b
    const value = thin === 'm' ? kernel.a : kernel.b
    const along = thin === 'm' ? kernel.m : kernel.n
    const emitted = emitThin(
      {
        kernel,
        batch: problem.batch,
        thin,
        matrix,
        vectors: vectors
          ? fastPacker(vectors, kernel, sharedWord, target)
          : slowPacker({ value, along, depth: kernel.k, batch: kernel.batch, buffers: kernel.buffers }, true, target),
        epilogue: emitEpilogue(kernel, target),
        tablesWord: sharedWord,
        matrixBase: (f, batch, into) => emitBase(f, matrix.loads[0] as OperandLoad, kernel, batch, into, target),
      },
      target,
    )
    return withTables(emitted, tables)
  }
  const tiling = chooseTiling(problem, panels, machine)
  const tablesWord = sharedWord + (tiling.sharedA || tiling.sharedB || tiling.splits > 1 ? 1 : 0)
  const packer = (operand: Operand | null, value: Expr, along: Axis, isA: boolean): Packer =>
    operand
      ? fastPacker(operand, kernel, tablesWord, target)
      : slowPacker({ value, along, depth: kernel.k, batch: kernel.batch, buffers: kernel.buffers }, isA, target)
  const emitted = emitPacked(
    {
      kernel,
      problem,
      machine,
      tiling,
      a: packer(a, kernel.a, kernel.m, true),
      b: packer(b, kernel.b, kernel.n, false),
      epilogue: emitEpilogue(kernel, target),
      sharedWord,
    },
    target,
  )
  return withTables(emitted, tables)
}

function withTables(emitted: Omit<EmittedKernel, 'tables'>, tables: Tables): EmittedKernel {
  const constants = tables.build()
  return constants.length > 0 ? { ...emitted, tables: constants } : emitted
}

/** Batch axes that b does not depend on become part of m: then b is packed once for all of them. */
function foldBatch(kernel: GemmKernel): GemmKernel {
  const inB = variablesIn(kernel.b)
  const folded = kernel.batch.filter((axis) => axis.size > 1 && !inB.has(axis.id))
  if (folded.length === 0) return kernel
  const size = folded.reduce((product, axis) => product * axis.size, kernel.m.size)
  const id = Math.max(kernel.n.id, kernel.m.id, kernel.k.id, ...kernel.batch.map((axis) => axis.id)) + 1
  const values = new Map<number, Index>()
  let rest = variable(id, size)
  for (const axis of [kernel.m, ...[...folded].reverse()]) {
    values.set(axis.id, mod(rest, axis.size))
    rest = div(rest, axis.size)
  }
  const memo = new Map<Expr, Expr>()
  const change = (e: Expr): Expr => {
    if (e.kind === 'load' || e.kind === 'index') return { ...e, index: substitute(e.index, values) }
    if (e.kind === 'gather') return { ...e, base: substitute(e.base, values) }
    return e
  }
  return {
    ...kernel,
    batch: kernel.batch.filter((axis) => !folded.includes(axis)),
    m: { id, size },
    a: mapExpr(kernel.a, change, memo),
    stores: kernel.stores.map((store) => ({
      ...store,
      index: substitute(store.index, values),
      value: mapExpr(store.value, change, memo),
    })),
  }
}

function variablesIn(root: Expr): Set<number> {
  const found = new Set<number>()
  walkExprs([root], (e) => {
    if (e.kind === 'load' || e.kind === 'index') variablesOf(e.index, found)
    else if (e.kind === 'gather') variablesOf(e.base, found)
  })
  return found
}
function dependsOn(root: Expr, axes: readonly Axis[]): boolean {
  const found = variablesIn(root)
  return axes.some((axis) => found.has(axis.id))
}

function fastPacker(operand: Operand, kernel: GemmKernel, tablesWord: number, target: Target): Packer {
  const functions = new Map<number, Callable>()
  const evaluate: EvaluateBound = (f, value, bound, lane) =>
    f.borrow(() => {
      const e = new ExprEmitter(f, target, kernel.buffers)
      e.lane = lane
      const [root, ...loads] = e.prepare([value, ...bound.keys()]) as [Expr, ...Expr[]]
      const locals = [...bound.values()]
      for (const [i, load] of loads.entries()) e.give(load, locals[i] as number)
      e.value(root)
    })
  let bases: number[] = []
  return {
    batched: operand.batched,
    prepare(f, batch) {
      bases = operand.loads.map((load) => {
        const local = f.local('int')
        emitBase(f, load, kernel, batch, local, target)
        return local
      })
    },
    pack(f, width, write, p, k, kEnd) {
      let packing = functions.get(width)
      if (!packing) {
        packing = target.gemm.pack(operand, width, evaluate)
        functions.set(width, packing)
      }
      write()
      p()
      f.get(k).get(kEnd).get(bind).loadAddress(tablesWord)
      for (const base of bases) f.get(base)
      f.call(packing)
    },
  }
}

/** Sets a local to the address of an operand's elements at this point of the batch, p = 0 and k = 0. */
function emitBase(
  f: Code,
  { load, base }: OperandLoad,
  kernel: GemmKernel,
  batch: ReadonlyMap<number, number>,
  into: number,
  target: Target,
): void {
  f.borrow(() => {
    const e = new ExprEmitter(f, target, kernel.buffers, bind, scratch)
    for (const [id, at] of batch) e.bind(id, at)
    e.index(base)
    f.constant(2).int('shl').get(e.base(load.buffer)).int('add').set(into)
  })
}

function slowPacker(operand: GeneralOperand, isA: boolean, target: Target): Packer {
  const functions = new Map<number, Callable>()
  return {
    batched: dependsOn(operand.value, operand.batch),
    prepare() {},
    pack(f, width, write, p, k, kEnd, batch) {
      let packing = functions.get(width)
      if (!packing) {
        packing = isA ? emitColumnPack(operand, width, target) : emitGroupPack(operand, width, target)
        functions.set(width, packing)
      }
      const step = isA ? 1 : target.lanes
      for (let j = 0; j < width; j += step) {
        const inside = () => {
          p()
          f.constant(j).int('add')
        }
        if (!isA) {
          inside()
          f.constant(operand.along.size).int('lt_s').if()
        }
        write()
        f.constant(j * 4).int('add')
        inside()
        f.get(k).get(kEnd).get(bind).get(scratch)
        for (const local of batch.values()) f.get(local)
        f.call(packing)
        if (!isA) f.end()
      }
    },
  }
}
