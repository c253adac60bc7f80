import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { place } from './executable.ts'
import { native, nativeOrThrow } from './koffi.ts'
import { reserve } from './region.ts'

const options = { skip: typeof native() === 'string' ? (native() as string) : false }

interface Mapping {
  readonly start: number
  readonly end: number
  readonly permissions: string
}

function mappings(): Mapping[] {
  const lines = readFileSync('/proc/self/maps', 'utf8').trim().split('\n')
  return lines.map((line) => {
    const [range = '', permissions = ''] = line.split(' ')
    const [start, end] = range.split('-').map((part) => Number.parseInt(part, 16)) as [number, number]
    return { start, end, permissions }
  })
}

function permissionsAt(address: number): string | undefined {
  return mappings().find(({ start, end }) => start <= address && address < end)?.permissions
}

/** lea eax, [rdi + rsi]; ret */
const sum = Uint8Array.from([0x8d, 0x04, 0x37, 0xc3])

test('machine code runs, and its memory cannot be written', options, () => {
  const block = place(sum)
  assert.equal(nativeOrThrow().callable(block.address, 2)(40, 2), 42)
  assert.equal(permissionsAt(block.address), 'r-xp')
  block.release()
  assert.notEqual(permissionsAt(block.address), 'r-xp')
})

test('a write to machine code stops the process', options, () => {
  const child = run(`
    const block = place(Uint8Array.from([0xc3]))
    nativeOrThrow().callable(block.address, 0)()
    console.log('called')
    nativeOrThrow().copyTo(block.address, Uint8Array.from([0xc3]))
    console.log('written')
  `)
  assert.deepEqual([child.stdout, child.signal], ['called\n', 'SIGSEGV'])
})

test('code of any length', options, () => {
  const code = new Uint8Array(10_000).fill(0x90)
  code.set(sum, code.length - sum.length)
  const block = place(code)
  assert.equal(block.bytes, 12_288)
  assert.equal(nativeOrThrow().callable(block.address, 2)(2, 3), 5)
  block.release()
})

test('addresses up to 2⁴⁷ pass as numbers', options, () => {
  // mov rax, rdi; shr rax, cl (rsi moved to rcx first); ret
  const shift = place(Uint8Array.from([0x89, 0xf1, 0x48, 0x89, 0xf8, 0x48, 0xd3, 0xe8, 0xc3]))
  const call = nativeOrThrow().callable(shift.address, 2)
  const address = 2 ** 47 - 3
  assert.equal(call(address, 32), 0x7fff)
  assert.equal(call(address, 0), -3)
  shift.release()
})

test('the address of a view is that of its first byte', options, () => {
  const { addressOf, copyTo } = nativeOrThrow()
  const values = new Float32Array([1, 2, 3, 4])
  assert.equal(addressOf(values.subarray(2)) - addressOf(values), 8)
  copyTo(addressOf(values.subarray(1)), new Float32Array([5, 6]))
  assert.deepEqual([...values], [1, 5, 6, 4])
})

test('a region is zeros, 64-aligned, between pages that nobody may touch', options, () => {
  const region = reserve(10_000)
  assert.equal(region.address % 64, 0)
  const bytes = new Uint8Array(region.view())
  assert.equal(bytes.length, 10_000)
  assert.ok(bytes.every((byte) => byte === 0))
  bytes[9_999] = 1
  assert.equal(permissionsAt(region.address), 'rw-p')
  assert.equal(permissionsAt(region.address - 1), '---p')
  assert.equal(permissionsAt(region.address + 12_288), '---p')
  region.release()
  assert.notEqual(permissionsAt(region.address), 'rw-p')
})

test('a region whose end is flush', options, () => {
  const region = reserve(1_000, { flush: 'end' })
  assert.equal((region.address + 1_000) % 4096, 0)
  assert.equal(permissionsAt(region.address + 999), 'rw-p')
  assert.equal(permissionsAt(region.address + 1_000), '---p')
  region.release()
})

test('a large region begins where a huge page can', options, () => {
  const bytes = 5 * 2 ** 20
  const region = reserve(bytes)
  assert.equal(region.address % 2 ** 21, 0)
  assert.equal(permissionsAt(region.address - 1), '---p')
  assert.equal(permissionsAt(region.address + bytes), '---p')
  region.release()
})

test('too large a region is refused in words', options, () => {
  assert.throws(() => reserve(2 ** 46), /refused .* out of memory/)
})

for (const [name, offset] of [
  ['before', -1],
  ['after', 64],
] as const) {
  test(`a read just ${name} a region stops the process`, options, () => {
    // mov al, [rdi]; ret
    const child = run(`
      const region = reserve(64, { flush: ${offset < 0 ? "'start'" : "'end'"} })
      const read = nativeOrThrow().callable(place(Uint8Array.from([0x8a, 0x07, 0xc3])).address, 1)
      for (let i = 0; i < 64; i++) read(region.address + i)
      console.log('inside')
      read(region.address + ${offset})
      console.log('outside')
    `)
    assert.equal(child.stdout, 'inside\n')
    assert.equal(child.signal, 'SIGSEGV')
  })
}

test('where the system forbids executable memory, the message says so', options, () => {
  // prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN), Linux 6.3: what has been writable cannot become executable.
  const child = run(`
    const koffi = (await import('koffi')).default
    const prctl = koffi.load(null).func('int prctl(int, ulong, ulong, ulong, ulong)')
    if (prctl(65, 1, 0, 0, 0) !== 0) console.log('refused: SELinux cannot be imitated here')
    else try { place(Uint8Array.from([0xc3])) } catch (error) { console.log(error.message) }
  `)
  assert.match(child.stdout, /refused.* SELinux/)
})

test('where koffi is missing, the message says what to do', options, () => {
  const child = run(`
    const Module = (await import('node:module')).default
    const resolve = Module._resolveFilename
    Module._resolveFilename = (name, ...rest) => resolve(name.replace('koffi', 'not-there'), ...rest)
    console.log(native())
    try { reserve(1) } catch (error) { console.log(error.message) }
  `)
  assert.match(child.stdout, /^(The device x64 .* npm install koffi@\d.*\n){2}$/)
})

test('koffi itself may be used beside us', options, () => {
  const child = run(`
    const block = place(Uint8Array.from([0x8d, 0x04, 0x37, 0xc3]))
    const sum = nativeOrThrow().callable(block.address, 2)
    const koffi = (await import('koffi')).default
    const theirs = koffi.load(null).func('int abs(int)')
    koffi.reset()
    console.log(sum(1, 2), nativeOrThrow().callable(block.address, 2)(3, 4))
  `)
  assert.equal(child.stdout, '3 7\n', child.stderr)
})

function run(program: string): { stdout: string; stderr: string; signal: string | null } {
  const from = (file: string): string => JSON.stringify(new URL(file, import.meta.url).href)
  const source = `
    const { place } = await import(${from('./executable.ts')})
    const { native, nativeOrThrow } = await import(${from('./koffi.ts')})
    const { reserve } = await import(${from('./region.ts')})
    ${program}`
  return spawnSync(process.execPath, ['--input-type=module', '--eval', source], {
    encoding: 'utf8',
    timeout: 20_000,
  })
}
