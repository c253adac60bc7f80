/** Where the device x64 does not work, the library says why in one line and goes on with wasm. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { x64Device } from './device.ts'

const found = x64Device()
const options = { skip: typeof found === 'string' ? found : false }
const at = (path: string): string => new URL(path, import.meta.url).href
const library = JSON.stringify(at('../../index.ts'))

interface Lesser {
  /** See pretend.ts. */
  readonly pretend?: string
  readonly variables?: Record<string, string>
}

function node(args: readonly string[], { pretend, variables }: Lesser) {
  const { DESCENT_DEVICE: _, DESCENT_X64: __, NODE_TEST_CONTEXT: ___, ...env } = process.env
  const preload = pretend ? { PRETEND: pretend, NODE_OPTIONS: `--import ${at('pretend.ts')}` } : {}
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...env, ...preload, ...variables } })
}

/** What a program prints that uses the default device twice. */
function run(lesser: Lesser, program = ''): { readonly stdout: string; readonly stderr: string } {
  const code = `
    const { device, setDevice, tensor } = await import(${library})
    ${program}
    const sum = tensor([1, 2, 3]).mul(2).sum().item()
    console.log(device(), sum)`
  return node(['--input-type=module', '--eval', code], lesser)
}

describe('x64 is what is used where it works', options, () => {
  test('without a word', () => {
    assert.deepEqual(outcome(run({})), { stdout: 'x64 12\n', stderr: '' })
  })
  test('also without AVX-512', () => {
    assert.equal(run({ pretend: 'no AVX-512' }).stdout, 'x64 12\n')
    assert.equal(run({ variables: { DESCENT_X64: 'avx2' } }).stdout, 'x64 12\n')
  })
  test('unless DESCENT_DEVICE says otherwise', () => {
    for (const device of ['wasm', 'reference', 'x64']) {
      const printed = run({ variables: { DESCENT_DEVICE: device } })
      assert.deepEqual(outcome(printed), { stdout: `${device} 12\n`, stderr: '' })
    }
  })
  test('and nothing of it is loaded where wasm is chosen', () => {
    const program = `
      import { registerHooks } from 'node:module'
      const loaded = []
      registerHooks({ load: (url, context, next) => (loaded.push(url), next(url, context)) })
      const { device } = await import(${library})
      device()
      console.log(loaded.flatMap((url) => /x64\\/.*/.exec(url) ?? []).sort().join(' '))`
    const { stdout } = node(['--input-type=module', '--eval', program], { variables: { DESCENT_DEVICE: 'wasm' } })
    assert.equal(stdout, 'x64/open.ts x64/platform.ts\n')
  })
})

describe('where x64 should work and does not, one line says why', options, () => {
  const complaints: readonly (readonly [pretend: string, why: RegExp])[] = [
    ['no koffi', /package koffi, which is not installed: npm install koffi@\d+\.\d+\.\d+/],
    ['no addons', /run node with --allow-addons/],
    ['no AVX2', /needs a processor with AVX2, FMA, which .* lacks/],
    ['no executable memory', /refused to make memory executable .* errno 13\. SELinux/],
    ['wrong results', /computes wrong on this .*: a sum of exponentials is 0 instead of \d+\.\d+\. Please report/],
  ]
  for (const [pretend, why] of complaints) {
    test(pretend, () => {
      const { stdout, stderr } = run({ pretend })
      assert.equal(stdout, 'wasm 12\n')
      assert.match(stderr, /^descent: on the device wasm, which is slower\. [^\n]*\n$/)
      assert.match(stderr, why)
    })
    test(`${pretend}: asking for x64 is an error, choosing wasm needs no word`, () => {
      const asked = run({ pretend }, `setDevice('x64')`)
      assert.match(asked.stderr, /^Error: .*x64/m)
      assert.match(asked.stderr, why)
      assert.equal(asked.stdout, '')
      const chosen = run({ pretend }, `setDevice('wasm')`)
      assert.deepEqual(outcome(chosen), { stdout: 'wasm 12\n', stderr: '' })
    })
  }
  test('DESCENT_DEVICE=x64 asks for it, too', () => {
    const { stdout, stderr } = run({ pretend: 'no koffi', variables: { DESCENT_DEVICE: 'x64' } })
    assert.match(stderr, /^Error: The variable DESCENT_DEVICE is 'x64'\. The device x64 calls .* npm install koffi/m)
    assert.equal(stdout, '')
  })
  test('DESCENT_X64 with a value that means nothing', () => {
    assert.match(run({ variables: { DESCENT_X64: 'sse' } }).stderr, /DESCENT_X64 is 'sse', which means nothing: 'avx2'/)
  })
})

test('where x64 has no place, wasm is used without a word', () => {
  for (const pretend of ['macOS', 'a page']) {
    assert.deepEqual(outcome(run({ pretend })), { stdout: 'wasm 12\n', stderr: '' }, pretend)
  }
  assert.deepEqual(outcome(run({ variables: { DESCENT_X64: 'off' } })), { stdout: 'wasm 12\n', stderr: '' })
})

test('a device that there is not is an error that lists those that there are', () => {
  const printed = run({ variables: { DESCENT_DEVICE: 'cuda' } })
  assert.match(
    printed.stderr,
    /^Error: The variable DESCENT_DEVICE is 'cuda'\. There is no device 'cuda'\. Choose 'x64', 'wasm' or 'reference'\.$/m,
  )
})

describe('the tests pass on lesser machines', options, () => {
  const files = [
    '../../../goldens/goldens.test.ts',
    '../../compile.test.ts',
    '../../train/fit.test.ts',
    'limits.test.ts',
  ]
  const paths = files.map((file) => fileURLToPath(new URL(file, import.meta.url)))
  for (const pretend of ['no koffi', 'no AVX2', 'no AVX-512']) {
    test(pretend, () => {
      const { status, stdout } = node(['--test', '--test-reporter=tap', ...paths], { pretend })
      assert.equal(status, 0, stdout)
      assert.match(stdout, pretend === 'no AVX-512' ? /^# skipped 0$/m : /# SKIP The device x64 /)
    })
  }
})

function outcome({ stdout, stderr }: { readonly stdout: string; readonly stderr: string }) {
  return { stdout, stderr }
}
