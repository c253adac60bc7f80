/**
 * Matrix products on the simulated machine: small panels and blocks, so that products of a few thousand multiply-adds have
 * all that large ones have, and packing and multiplying as plainly as `Code` allows.
 */
import type { Expr } from '../../kernel/expr.ts'
import type { Callable, Code, Kind } from './code.ts'
import type { GemmMachine, Panels, Run } from './gemm-machine.ts'
import { isConstant, type Operand, type Part } from './gemm-operand.ts'
import type { Target } from './target.ts'

type NewFunction = Target['newFunction']

export function simulatedGemm(lanes: number, newFunction: NewFunction): GemmMachine {
  return {
    rate: 0.05,
    blockBytes: 4096,
    mostDepth: 20,
    depthGrain: lanes,
    mostAsLoops: 0,
    panels: (_m, n, sums) => ({ columns: n <= lanes ? lanes : 2 * lanes, height: 3, sums }),
    // Panels of 2 rows, where 3 do not divide them: a single row is covered by one of 2.
    cover(rows, { height }): readonly Run[] {
      const low = (height - (rows % height)) % height
      if (rows < low * 2) return [{ height: 2, count: 1 }]
      return [
        { height, count: (rows - 2 * low) / height },
        { height: 2, count: low },
      ].filter((run) => run.count > 0)
    },
    micro: (panels, height) => writeMicro(newFunction, lanes, panels, height),
    pack: (operand, width, evaluate) => {
      const f = newFunction(new Array<Kind>(firstBase + operand.loads.length).fill('int'))
      writePack(f, operand, width, (value, bound) => evaluate(f, value, bound, operand.along.id))
      return f
    },
  }
}

function writeMicro(newFunction: NewFunction, lanes: number, { columns }: Panels, height: number): Callable {
  const f = newFunction(new Array<Kind>(7).fill('int'))
  const [panelA, b, c, panels, k, rowBytes, accumulate] = [0, 1, 2, 3, 4, 5, 6]
  const [a, left, row] = [f.local('int'), f.local('int'), f.local('int')]
  const sums = Array.from({ length: height }, () => Array.from({ length: columns / lanes }, () => f.local('vector')))
  const add = (local: number, bytes: number) => f.get(local).constant(bytes).int('add').set(local)
  const eachRow = (write: (sum: number, offset: number) => void) => {
    f.get(c).set(row)
    for (const list of sums) {
      for (const [j, sum] of list.entries()) write(sum, j * lanes * 4)
      f.get(row).get(rowBytes).int('add').set(row)
    }
  }
  const nextPanel = f.loop()
  for (const sum of sums.flat()) f.splatF32(0).set(sum)
  f.get(panelA).set(a).get(k).set(left)
  const again = f.loop()
  for (const [i, list] of sums.entries()) {
    for (const [j, sum] of list.entries()) {
      f.get(a).loadSplat(i * 4)
      f.get(b).loadVector(j * lanes * 4, lanes)
      f.get(sum).multiplyAdd().set(sum)
    }
  }
  add(a, height * 4)
  add(b, columns * 4)
  add(left, -1)
  f.get(left).brIf(again).end()
  f.get(accumulate).if()
  eachRow((sum, offset) =>
    f.get(row).get(row).loadVector(offset, lanes).get(sum).float('add').storeVector(offset, lanes),
  )
  f.else()
  eachRow((sum, offset) => f.get(row).get(sum).storeVector(offset, lanes))
  f.end()
  add(c, columns * 4)
  add(panels, -1)
  f.get(panels).brIf(nextPanel).end()
  return f
}

const [dst, p, k, kEnd, tables, firstBase] = [0, 1, 2, 3, 4, 5]

/** One k at a time, lanes along the panel, all of them gathered. */
function writePack(
  f: Code,
  operand: Operand,
  width: number,
  evaluate: (value: Expr, bound: ReadonlyMap<Expr, number>) => void,
): void {
  const { lanes } = f
  /** Pushes a vector of the elements that are added to a load's address, by column. */
  const elements = (part: Part, first: number, active: number): void => {
    if (part.kind === 'table') {
      f.get(p).constant(2).int('shl').get(tables).int('add')
      f.loadVector((part.at + first) * 4, active)
      // Divided by 4, below zero too.
      f.splatI32(-(2 ** 31))
        .whole('add')
        .shift('shr', 2)
      f.splatI32(-(2 ** 29)).whole('add')
    } else {
      f.get(p).splat()
      f.lanesI32(Array.from({ length: lanes }, (_, j) => first + j)).whole('add')
      f.splatI32(operand.along.size - 1).whole('min_s')
      f.splatI32(part.step / 4).whole('mul')
    }
  }
  const depth = (part: Part): void => {
    if (part.kind === 'affine') f.get(k).constant(part.step).int('mul')
    else
      f.get(k)
        .constant(2)
        .int('shl')
        .get(tables)
        .int('add')
        .loadInt(part.at * 4)
  }
  const again = f.loop()
  for (let first = 0; first < width; first += lanes) {
    const active = Math.min(lanes, width - first)
    f.borrow(() => {
      const bound = new Map<Expr, number>()
      for (const [l, load] of operand.loads.entries()) {
        const value = f.local('vector')
        f.get(firstBase + l)
        depth(load.depth)
        f.int('add')
        if (isConstant(load.along)) f.loadSplat(0)
        else {
          elements(load.along, first, active)
          f.gather(active)
        }
        f.set(value)
        bound.set(load.load, value)
      }
      const result = f.local('vector')
      if (operand.value.kind === 'load') f.get(bound.get(operand.value) as number)
      else evaluate(operand.value, bound)
      f.set(result)
      f.get(dst)
        .get(result)
        .storeVector(first * 4, active)
    })
  }
  f.get(dst)
    .constant(width * 4)
    .int('add')
    .set(dst)
  f.get(k).constant(1).int('add').tee(k).get(kEnd).int('lt_s').brIf(again)
  f.end()
}
