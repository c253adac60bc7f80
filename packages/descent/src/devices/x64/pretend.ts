/**
 * For tests: preloaded into a process (`node --import …/pretend.ts`), it makes the library believe that it runs on a lesser
 * machine, the one that the variable PRETEND names. What is changed are Node and the library's own parts, where they meet
 * the machine; the library knows nothing of it.
 */
import Module from 'node:module'
import { X64Device } from './device.ts'
import { cpu } from './native/cpu.ts'
import { nativeOrThrow } from './native/koffi.ts'

const EACCES = 13

const pretences: Record<string, () => void> = {
  'no koffi'() {
    const loader = Module as unknown as { _resolveFilename(request: string, ...rest: unknown[]): string }
    const resolve = loader._resolveFilename
    loader._resolveFilename = (request, ...rest) => {
      if (!/^(koffi|@koromix)\b/.test(request)) return resolve(request, ...rest)
      throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' })
    }
  },
  'no addons'() {
    process.dlopen = () => {
      throw Object.assign(new Error('Cannot load native addon'), { code: 'ERR_DLOPEN_DISABLED' })
    }
  },
  'no AVX2'() {
    Object.assign(cpu().features, { avx2: false, fma: false, avx512: false })
  },
  'no AVX-512'() {
    Object.assign(cpu().features, { avx512: false })
  },
  'no executable memory'() {
    const native = nativeOrThrow()
    const { mprotect } = native
    const executable = 4
    Object.assign(native, {
      mprotect: (...parameters: [number, number, number]) =>
        (parameters[2] & executable) !== 0 ? -1 : mprotect(...parameters),
      errno: () => EACCES,
    })
  },
  'wrong results'() {
    X64Device.prototype.read = (_storage, _start, length) => new Float32Array(length)
  },
  macOS() {
    Object.defineProperty(process, 'platform', { value: 'darwin' })
    Object.defineProperty(process, 'arch', { value: 'arm64' })
  },
  /** Node that cannot be told from a page, as far as the library looks. */
  'a page'() {
    Object.defineProperty(globalThis, 'process', { value: undefined })
  },
}

const { PRETEND } = process.env
const pretence = PRETEND === undefined ? undefined : pretences[PRETEND]
if (!pretence) throw new Error(`PRETEND is ${PRETEND}; it may be ${Object.keys(pretences).join(', ')}`)
pretence()
