/**
 * The door to the operating system: functions of the C library and machine code at an address, called from JavaScript
 * through koffi, which is loaded when first asked for. Addresses are numbers: those of a process lie below 2⁴⁷.
 *
 * A call costs 30 to 90 nanoseconds, by the number of its parameters.
 */

import { elsewhere } from '../platform.ts'

/** A function outside of JavaScript: whole numbers up to 2⁵³ go in, an i32 comes out. */
export type NativeFunction = (...parameters: number[]) => number

/** Functions of the C library, by the names that its manual has (`man 2 mmap`), and the ways to and from memory. */
export interface Native {
  /** Koffi's. */
  readonly version: string
  mmap(address: number, bytes: number, protection: number, flags: number, file: number, offset: number): number
  munmap(address: number, bytes: number): number
  mprotect(address: number, bytes: number, protection: number): number
  madvise(address: number, bytes: number, advice: number): number
  pthread_create(thread: number, attributes: number, start: number, argument: number): number
  pthread_detach(thread: number): number
  /** The error of the last call that failed. */
  errno(): number
  /** Copies a view's bytes to an address. */
  copyTo(address: number, from: ArrayBufferView): void
  /** Where a view's first byte lies; it stays there for as long as its buffer lives. */
  addressOf(view: ArrayBufferView): number
  /** The bytes at an address. They must not be touched once that memory is unmapped. */
  view(address: number, bytes: number): ArrayBuffer
  /** The function whose machine code begins at an address (System V calling convention). Making one takes 10 µs. */
  callable(address: number, parameters: number): NativeFunction
}

/** What is used of koffi (https://koffi.dev). */
interface Koffi {
  readonly version: string
  load(path: null): {
    func(name: string, result: string, parameters: readonly string[]): (...args: unknown[]) => number
  }
  proto(result: string, parameters: readonly string[]): object
  decode(address: number, type: object): NativeFunction
  address(view: ArrayBufferView): bigint
  view(address: number, bytes: number): ArrayBuffer
  errno(): number
}

let found: Native | string | undefined

/** The door, or why there is none here and what to do about it. */
export function native(): Native | string {
  found ??= open()
  return found
}

/** The door; throws where there is none. */
export function nativeOrThrow(): Native {
  const result = native()
  if (typeof result === 'string') throw new Error(result)
  return result
}

function open(): Native | string {
  const reason = elsewhere()
  if (reason !== null) return reason
  let koffi: Koffi
  try {
    koffi = loadKoffi()
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'MODULE_NOT_FOUND') {
      return 'The device x64 calls the operating system through the package koffi, which is not installed: npm install koffi@3.3.4'
    }
    if (code === 'ERR_DLOPEN_DISABLED') {
      return 'The device x64 needs the native addon koffi, and this process may load none: run node with --allow-addons.'
    }
    return `The device x64 calls the operating system through the package koffi, which cannot be loaded: ${message}`
  }
  try {
    return bind(koffi)
  } catch (error) {
    return `The device x64 needs functions that this process lacks: ${(error as Error).message}. Use the device wasm here.`
  }
}

/**
 * Koffi's entry point tries packages and directories and wraps what it finds: 9 to 13 ms, 20 ms and more when the disk's cache
 * is cold. The binary that it ends at takes 2 ms when named at once; being loaded for us alone, it also does not care
 * whether somebody else resets the types of theirs (koffi.reset).
 */
function loadKoffi(): Koffi {
  const { createRequire } = process.getBuiltinModule('node:module')
  const { existsSync } = process.getBuiltinModule('node:fs')
  const require = createRequire(import.meta.url)
  // There is a second binary for Alpine and its like; koffi tells where both C libraries are installed.
  if (!existsSync('/lib/ld-musl-x86_64.so.1')) {
    try {
      const module = { exports: {} }
      process.dlopen(module, require.resolve('@koromix/koffi-linux-x64/linux_x64/koffi.node'))
      const koffi = module.exports as Koffi
      if (koffi.version?.startsWith('3.')) return koffi
    } catch {
      // Package managers that do not hoist keep it where only koffi finds it.
    }
  }
  return require('koffi') as Koffi
}

function bind(koffi: Koffi): Native {
  const library = koffi.load(null)
  const [address, size, int] = ['uintptr_t', 'size_t', 'int']
  const memcpy = library.func('memcpy', address, [address, 'void *', size])
  const prototypes: object[] = []
  return {
    version: koffi.version,
    mmap: library.func('mmap', 'intptr_t', [address, size, int, int, int, 'int64_t']),
    munmap: library.func('munmap', int, [address, size]),
    mprotect: library.func('mprotect', int, [address, size, int]),
    madvise: library.func('madvise', int, [address, size, int]),
    pthread_create: library.func('pthread_create', int, [address, address, address, address]),
    pthread_detach: library.func('pthread_detach', int, [address]),
    errno: () => koffi.errno(),
    copyTo: (to, from) => {
      memcpy(to, from, from.byteLength)
    },
    addressOf: (view) => Number(koffi.address(view)),
    view: (at, bytes) => koffi.view(at, bytes),
    callable: (at, parameters) => {
      prototypes[parameters] ??= koffi.proto('int32_t', Array<string>(parameters).fill('int64_t'))
      return koffi.decode(at, prototypes[parameters])
    },
  }
}
