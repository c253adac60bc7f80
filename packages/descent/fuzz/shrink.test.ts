/** A fault that is put into a device is found, made small, and printed as code that shows it. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { wasmDevice } from '../src/devices/wasm/device.ts'
import type { Plan } from '../src/kernel/kernel.ts'
import { check, graphOf, report } from './check.ts'
import type { Difference } from './judge.ts'
import { print } from './print.ts'

/** The same plan with ⌈x⌉ in place of ⌊x⌋; parts that are shared stay shared. */
function withoutFloor(plan: Plan): Plan {
  const seen = new Map<object, unknown>()
  const change = (x: unknown): unknown => {
    if (typeof x !== 'object' || x === null || ArrayBuffer.isView(x)) return x
    const known = seen.get(x)
    if (known) return known
    const copy: unknown[] | Record<string, unknown> = Array.isArray(x) ? [] : {}
    seen.set(x, copy)
    for (const [key, value] of Object.entries(x)) Reflect.set(copy, key, change(value))
    if ('op' in x && x.op === 'floor') Reflect.set(copy, 'op', 'ceil')
    return copy
  }
  return change(plan) as Plan
}

function breakFloor(): void {
  const device = wasmDevice()
  const prepare = device.prepare.bind(device)
  device.prepare = (plan) => prepare(withoutFloor(plan))
}

/** What the code prints, as it is in a file of its own. */
async function printed(code: string): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
  const file = join(folder, 'graph.ts')
  const library = new URL('../src/index.ts', import.meta.url).href
  const loops = new URL('loops.ts', import.meta.url).href
  const here = code.replace("from 'descent'", `from '${library}'`)
  writeFileSync(file, here.replace("from './packages/descent/fuzz/loops.ts'", `from '${loops}'`))
  const log = mock.method(console, 'log', () => {})
  try {
    await import(pathToFileURL(file).href)
    return log.mock.calls.map((call) => call.arguments.join(' '))
  } finally {
    log.mock.restore()
    rmSync(folder, { recursive: true })
  }
}

test('printed graphs run, and most print the same compiled to the last digit', async () => {
  let agreed = 0
  for (let graph = 0; graph < 20; graph++) {
    const program = graphOf(12, graph)
    const lines = await printed(print({ program, device: 'reference', mode: 'compiled', heading: ['a graph'] })).catch(
      (error: Error) => error,
    )
    if (lines instanceof Error) {
      assert.equal(lines.name, 'IndexError', lines.stack)
      continue
    }
    const [want, got] = lines.map((line) => line.slice(line.indexOf('{')))
    if (want === got) agreed++
  }
  assert.ok(agreed >= 12, `${agreed} of 20 agree to the last digit`)
})

test('a wrong operation is found, in three statements at most, and its code shows it', async () => {
  breakFloor()
  let found: Difference | null = null
  let graph = 0
  for (; graph < 300 && !found; graph++) {
    const program = graphOf(7, graph)
    const calls = program.body.map((statement) => statement.call)
    // Random whole numbers are rounded down, too.
    if (calls.includes('floor') && !calls.some((call) => call.startsWith('rand'))) found = check(program, ['wasm'])
  }
  assert.ok(found, 'the fault was not found')
  const code = report(graphOf(7, graph - 1), found, 'a fault')
  const statements = code.split('\n').filter((line) => /^ {4}(const )?v\d+/.test(line))
  assert.ok(statements.length >= 1 && statements.length <= 3, code)
  assert.match(code, /floor\(\)/)
  assert.match(code, /\/\/ wasm, eager: .* is .*, expected /)
  const [want, got] = (await printed(code)).map((line) => line.slice(line.indexOf('{')))
  assert.notEqual(want, got, code)
})
