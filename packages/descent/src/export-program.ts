/** From a function to a file that runs it anywhere: io/program.ts is the other side. */
import { noGrad } from './autograd.ts'
import { planOf } from './compile.ts'
import type { Storage } from './devices/device.ts'
import { writeProgram } from './devices/wasm/program-file.ts'
import type { Tensor } from './tensor.ts'

export interface ExportOptions {
  /** Use the fused multiply-adds of WebAssembly's relaxed SIMD: faster, for engines that have them. Default false. */
  readonly relaxedSimd?: boolean
  /** Record gradients, for a function that calls `backward`. Default false. */
  readonly recordGradients?: boolean
}

/**
 * Compiles `fn`, for inputs of these shapes and dtypes, into a WebAssembly module with all that it needs: its kernels,
 * and the values of every tensor that it reads (weights, running statistics). `loadProgram` runs the file in Node and
 * in browsers without the rest of the library, on arrays of numbers. Shapes are fixed, and so is a network's mode:
 * call `eval()` first. What the function writes (`copy_`) is kept from run to run. Throws TraceError where `fn` reads
 * a value, as compile() does.
 *
 * @example
 * ```ts
 * import { exportProgram, loadProgram, nn, randn } from 'descent'
 * const net = new nn.Sequential(new nn.Linear(3, 5), new nn.Tanh(), new nn.Linear(5, 2)).eval()
 * const x = randn([2, 3])
 * const program = await loadProgram(exportProgram((batch) => net.forward(batch), [x]))
 * const [y] = program.run(x.data())
 * const expected = net.forward(x).data()
 * console.log(y.every((value, i) => Math.abs(value - expected[i]) < 1e-6)) // → true
 * ```
 */
export function exportProgram<A extends readonly Tensor[]>(
  fn: (...inputs: A) => Tensor | readonly Tensor[],
  inputs: A,
  options: ExportOptions = {},
): Uint8Array<ArrayBuffer> {
  const {
    planned,
    storages,
    inputs: read,
    outputs,
  } = options.recordGradients ? planOf(fn, inputs) : noGrad(() => planOf(fn, inputs))
  const places = new Map(read.map(({ slot, position }) => [slot, position]))
  return writeProgram(planned.plan, {
    carried: storages.map(valuesOf),
    inputs: inputs.map(({ shape, dtype }, slot) => ({ shape, dtype, position: places.get(slot) ?? null })),
    outputs,
    relaxedSimd: options.relaxedSimd ?? false,
  })
}

function valuesOf(storage: Storage): Float32Array | Int32Array {
  const values = storage.device.read(storage, 0, storage.length)
  return values instanceof Float64Array ? Float32Array.from(values) : values
}
