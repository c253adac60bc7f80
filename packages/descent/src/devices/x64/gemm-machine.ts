/** Matrix products on x64: which panels suit which product, and the functions that pack and multiply them. */
import type { GemmMachine, Panels, Run } from '../vector/gemm-machine.ts'
import { packKey, packParameters, writePack } from './gemm-pack.ts'
import { emitMicro, microParameters } from './micro.ts'
import type { X64Program } from './program.ts'
import type { X64Callable } from './writer.ts'

/** Of a core that multiplies and adds 16 (AVX-512) or 16 (two of 8) numbers in a cycle, at 3.5 GHz. */
const rate = 50

export function gemmMachine(program: X64Program, l2Bytes: number): GemmMachine {
  const { wide, lanes } = program
  const most = wide ? 28 : 12
  const known = new Map<string, ReturnType<X64Program['newRaw']>>()
  const packs = new Map<string, X64Callable>()
  return {
    rate,
    blockBytes: Math.min(Math.max(l2Bytes / 2, 128 * 1024), 1024 * 1024),
    mostDepth: 256,
    depthGrain: lanes,
    mostAsLoops: 1 << 14,
    panels(_m, n, sums): Panels {
      const columns = sums === 'f64' || n <= lanes ? lanes : 2 * lanes
      const vectors = (columns / lanes) * (sums === 'f64' ? 2 : 1)
      return { columns, height: Math.floor(most / vectors), sums }
    },
    // As many panels as needed, all of nearly the same height: low ones do not keep the machine busy.
    cover(rows, { height }): readonly Run[] {
      const count = Math.ceil(rows / height)
      const low = Math.floor(rows / count)
      const higher = rows - low * count
      const runs = [
        { height: low + 1, count: higher },
        { height: low, count: count - higher },
      ]
      return runs.filter((run) => run.count > 0)
    },
    forget(from) {
      for (const functions of [known, packs]) {
        for (const [key, f] of functions) if (f.index >= from) functions.delete(key)
      }
    },
    micro(panels, height) {
      const key = `${height} × ${panels.columns} in ${panels.sums}`
      let f = known.get(key)
      if (!f) {
        f = program.newRaw(microParameters, `micro-kernel ${key}`, (asm) => emitMicro(asm, wide, panels, height))
        known.set(key, f)
      }
      return f
    },
    pack(operand, width, evaluate) {
      const key = packKey(operand, width, lanes)
      const before = key === null ? undefined : packs.get(key)
      if (before) return before
      const f = program.newFunction(packParameters(operand))
      writePack(f, operand, width, evaluate)
      if (key !== null) packs.set(key, f)
      return f
    },
  }
}
