/**
 * A program: a function that was compiled once and lies in a file, a WebAssembly module with everything that it needs,
 * weights among it. Running it takes this file alone: no tensors, no compiler.
 */
import { FormatError, IndexError, ShapeError } from '../errors.ts'
import { bytesAt } from './file.ts'

/** An input or output: an array of this shape, row-major, at a byte address of the module's memory. */
export interface Port {
  readonly shape: readonly number[]
  readonly dtype: 'f32' | 'i32' | 'bool'
  readonly address: number
}

/** The custom section `descent` of the module. */
export interface Manifest {
  readonly version: 1
  readonly inputs: readonly Port[]
  readonly outputs: readonly Port[]
  /** What `runSolo` takes. */
  readonly schedule: number
  readonly scratch: number
  /** Two words: the failed check's number + 1 (0: none), and the value that it saw. */
  readonly error: number
  readonly checks: readonly { readonly label: string; readonly size: number }[]
}

interface Exports {
  readonly memory: WebAssembly.Memory
  runSolo(schedule: number, scratch: number): number
}

type Values = Float32Array | Int32Array

/** A loaded program; made by `loadProgram`. */
export class Program {
  /** What `run` takes, in order. */
  readonly inputs: readonly Port[]
  /** What `run` gives, in order. */
  readonly outputs: readonly Port[]
  readonly #manifest: Manifest
  readonly #exports: Exports

  constructor(manifest: Manifest, exports: Exports) {
    this.inputs = manifest.inputs
    this.outputs = manifest.outputs
    this.#manifest = manifest
    this.#exports = exports
  }

  /**
   * Row-major values in, row-major values out: one array for each of `inputs` and `outputs`. Throws ShapeError where
   * the number of arrays or values is another, and IndexError where the function checks an index and it is outside.
   */
  run(...inputs: readonly ArrayLike<number>[]): Values[] {
    const { memory, runSolo } = this.#exports
    const { schedule, scratch, error, checks } = this.#manifest
    if (inputs.length !== this.inputs.length) {
      throw new ShapeError(`run: takes ${this.inputs.length} arrays, got ${inputs.length}.`)
    }
    for (const [i, port] of this.inputs.entries()) {
      const [values, room] = [inputs[i] as ArrayLike<number>, view(memory, port)]
      if (values.length !== room.length) {
        throw new ShapeError(
          `run: input ${i} is [${port.shape.join(', ')}], ${room.length} values, got ${values.length}.`,
        )
      }
      room.set(values)
    }
    if (runSolo(schedule, scratch) !== 0) {
      const record = new Int32Array(memory.buffer, error, 2)
      const [id, value] = [record[0] as number, record[1] as number]
      record.fill(0)
      const { label, size } = checks[id - 1] as Manifest['checks'][number]
      throw new IndexError(label, value, size)
    }
    return this.outputs.map((port) => view(memory, port).slice())
  }
}

function view({ buffer }: WebAssembly.Memory, { shape, dtype, address }: Port): Values {
  const length = shape.reduce((product, extent) => product * extent, 1)
  return dtype === 'f32' ? new Float32Array(buffer, address, length) : new Int32Array(buffer, address, length)
}

/**
 * Loads a program that `exportProgram` wrote: from its bytes, a path (in Node) or an address that can be fetched (in a
 * browser). Throws FormatError for anything else. A page that imports nothing but this carries under 2 KB of Descent.
 *
 * @example
 * ```ts
 * import { exportProgram, loadProgram, nn, zeros } from 'descent'
 * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 2))
 * const program = await loadProgram(exportProgram((x) => net.forward(x), [zeros([1, 4])]))
 * const [scores] = program.run([0.1, 0.2, 0.3, 0.4])
 * console.log(program.inputs[0].shape, scores.length) // → [ 1, 4 ] 2
 * ```
 */
export async function loadProgram(source: string | URL | Uint8Array): Promise<Program> {
  const name = source instanceof Uint8Array ? 'the program' : String(source)
  const bytes = source instanceof Uint8Array ? source : await bytesAt(source)
  let module: WebAssembly.Module
  try {
    module = await WebAssembly.compile(bytes as Uint8Array<ArrayBuffer>)
  } catch (error) {
    throw new FormatError(`${name}: is not a WebAssembly module that this engine takes (${(error as Error).message}).`)
  }
  const [section] = WebAssembly.Module.customSections(module, 'descent')
  const manifest = section && (JSON.parse(new TextDecoder().decode(section)) as Manifest)
  if (manifest?.version !== 1)
    throw new FormatError(`${name}: was not written by exportProgram, or by a newer version.`)
  const instance = await WebAssembly.instantiate(module, {})
  return new Program(manifest, instance.exports as unknown as Exports)
}
