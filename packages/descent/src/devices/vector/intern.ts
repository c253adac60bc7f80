/** Equal expressions made one object, so that what is shared by value is computed once. */
import { type Expr, operands, withOperands } from '../../kernel/expr.ts'
import { indexKey } from '../../kernel/index-expr.ts'

export class Interner {
  private readonly known = new Map<string, Expr>()
  private readonly done = new Map<Expr, Expr>()
  private readonly numbers = new Map<Expr, number>()

  intern(e: Expr): Expr {
    const before = this.done.get(e)
    if (before) return before
    const xs = operands(e).map((x) => this.intern(x))
    const same = withOperands(e, xs)
    const key = `${own(same)}(${xs.map((x) => this.numbers.get(x)).join()})`
    let result = this.known.get(key)
    if (!result) {
      result = same
      this.known.set(key, same)
      this.numbers.set(same, this.numbers.size)
    }
    this.done.set(e, result)
    return result
  }
}

/** All of an expression but its operands. */
function own(e: Expr): string {
  switch (e.kind) {
    case 'const':
      return `${e.dtype} ${Object.is(e.value, -0) ? '-0' : e.value}`
    case 'load':
      return `load ${e.dtype} ${e.buffer} ${e.guarded} ${indexKey(e.index)}`
    case 'gather':
      return `gather ${e.dtype} ${e.buffer} ${e.stride} ${indexKey(e.base)}`
    case 'check':
      return `check ${e.size} ${e.id}`
    case 'index':
      return `index ${indexKey(e.index)}`
    case 'result':
      return `result ${e.stage} ${e.slot}`
    case 'tile':
      return 'tile'
    case 'unary':
    case 'binary':
      return `${e.op} ${e.dtype}`
    case 'fma':
    case 'select':
      return `${e.kind} ${e.dtype}`
    case 'cast':
    case 'bitcast':
      return `${e.kind} ${e.dtype} ${e.x.dtype}`
  }
}
