import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { testedDevices } from '../devices/tested.ts'
import { device, setDevice } from '../index.ts'
import { advise } from './advice.ts'
import type { DeviceState, Diagnosis, Findings, Machine } from './diagnosis.ts'
import { doctor } from './index.ts'
import { diagnosisText } from './text.ts'

const x64 = testedDevices.find(({ name }) => name === 'x64')?.skip
const options = { skip: x64 ?? false }

const machine: Machine = {
  engine: 'Node 24.21.0',
  platform: 'linux on x64',
  processor: 'A processor',
  features: { avx2: true, fma: true, avx512: true },
  caches: { l1d: 32768, l2: 2 ** 20, l3: null },
  cores: { present: 4, usable: 4, load: 0.1 },
}
const works = (name: DeviceState['name'], ...details: string[]): DeviceState => ({
  name,
  refusal: null,
  surprising: false,
  details,
})
const refused = (refusal: string, surprising: boolean): DeviceState => ({ ...works('x64'), refusal, surprising })
const healthy: Findings = {
  descent: '1.2.3',
  machine,
  koffi: '3.3.4',
  webAssembly: { relaxedSimd: true, sharedMemory: true },
  devices: [works('x64', 'AVX-512', '4 threads'), works('wasm', '4 threads'), works('reference', 'slow')],
  chosen: { name: 'x64', because: 'it is the fastest' },
  limits: [
    { by: 'x64', threads: 1, flops: 100e9, bytes: 20e9 },
    { by: 'x64', threads: 4, flops: 400e9, bytes: 50e9 },
  ],
  products: [
    { device: 'x64', threads: 1, flops: 90e9, share: 0.9 },
    { device: 'x64', threads: 4, flops: 320e9, share: 0.8 },
    { device: 'wasm', threads: 1, flops: 45e9, share: 0.45 },
  ],
}
const onWasm = { name: 'wasm', because: 'x64 does not work here' } as const
const without = (x64: DeviceState): Findings => ({ ...healthy, devices: [x64, works('wasm')], chosen: onWasm })

test('a machine that has all gets no advice, and a text that shows all', () => {
  const advice = advise(healthy)
  assert.deepEqual(advice, [])
  assert.equal(
    diagnosisText({ ...healthy, advice }),
    `Descent 1.2.3, Node 24.21.0, linux on x64

  processor      A processor, 4 cores
  instructions   AVX2, FMA, AVX-512
  caches         L1d 32 KiB, L2 1 MiB
  koffi          3.3.4
  WebAssembly    shared memory, relaxed SIMD

  x64         works: AVX-512, 4 threads – chosen: it is the fastest
  wasm        works: 4 threads
  reference   works: slow

                                    1 thread    4 threads
  most multiply-adds, GFLOP/s       100         400
  memory (a = b + s·c), GB/s        20          50
  matrix product on x64, GFLOP/s    90 (90 %)   320 (80 %)
  matrix product on wasm, GFLOP/s   45 (45 %)   –

→ Nothing is missing.`,
  )
})

test('what is missing is followed by what to do', () => {
  const cases: readonly (readonly [Findings, RegExp])[] = [
    [without(refused('It needs koffi: npm install koffi', true)), /^It needs koffi: npm install koffi$/],
    [without(refused('The device x64 runs on Linux, and this is win32.', false)), /this is win32/],
    [
      { ...without(refused('…', false)), machine: { ...machine, platform: 'darwin on arm64', features: null } },
      /wasm is the fastest here: .* \(NEON\)\. The device x64 is for Linux on x64\.$/,
    ],
    [{ ...healthy, devices: [works('x64', 'AVX2'), works('wasm')] }, /DESCENT_X64=avx2 .* unset it/],
    [
      { ...healthy, chosen: { name: 'wasm', because: 'DESCENT_DEVICE is wasm' } },
      /x64 works here and is faster than wasm/,
    ],
    [{ ...healthy, chosen: { error: "DESCENT_DEVICE is 'x'" } }, /^DESCENT_DEVICE is 'x'$/],
    [{ ...healthy, webAssembly: { relaxedSimd: false, sharedMemory: true } }, /relaxed SIMD/],
    [{ ...healthy, webAssembly: { relaxedSimd: true, sharedMemory: false } }, /use Node 24 or newer/],
    [{ ...healthy, machine: { ...machine, cores: { present: 4, usable: 2, load: null } } }, /2 of 4 cores/],
    [
      { ...healthy, machine: { ...machine, cores: { present: 4, usable: 4, load: 3.5 } } },
      /busy here \(a load of 3\.5/,
    ],
    [
      { ...healthy, limits: healthy.limits.map((limit) => ({ ...limit, flops: 1e11 })) },
      /^4 threads multiply no faster/,
    ],
  ]
  for (const [found, expected] of cases) {
    const [line, ...others] = advise(found)
    assert.match(line ?? '', expected)
    assert.deepEqual(others, [])
  }
  const page = { ...machine, engine: 'A browser', platform: null, features: null, caches: null }
  const inPage = { ...without(refused('The device x64 runs in Node.js only.', false)), machine: page }
  assert.deepEqual(advise(inPage), [])
  assert.match(advise({ ...inPage, webAssembly: { relaxedSimd: true, sharedMemory: false } })[0] ?? '', /Cross-Origin/)
})

test('this machine: what is said is so, and nothing is changed', async () => {
  const before = device()
  const found = await doctor({ measure: false })
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  assert.equal(found.descent, version)
  assert.equal(found.machine.engine, `Node ${process.versions.node}`)
  assert.deepEqual(
    found.devices.map(({ name, refusal }) => [name, refusal]),
    [
      ['x64', x64 || null],
      ['wasm', null],
      ['reference', null],
    ],
  )
  assert.deepEqual('name' in found.chosen && found.chosen.name, before)
  assert.deepEqual([found.limits, found.products], [[], []])
  assert.equal(JSON.parse(JSON.stringify(found)).descent, version)
  assert.equal(device(), before)
})

test('speeds are measured in a few seconds, on every fast device', { timeout: 60_000 }, async () => {
  const { limits, products } = await doctor()
  assert.ok(limits.every(({ flops, bytes }) => flops > 1e8 && bytes > 1e8))
  const fast = testedDevices.filter(({ name, skip }) => name !== 'reference' && !skip).map(({ name }) => name)
  assert.deepEqual(new Set(products.map((product) => product.device)), new Set(fast))
  for (const { flops, share, threads } of products) {
    assert.ok(flops > 1e8)
    // Other tests may run at the same time, so a limit may have been measured at a worse moment.
    if (threads === 1) assert.ok(share !== null && share > 0.01 && share < 3, `${share}`)
  }
})

/** What the doctor finds in a process that pretends: see devices/x64/pretend.ts. */
function pretending(pretend: string): Diagnosis & { readonly text: string } {
  const pretence = new URL('../devices/x64/pretend.ts', import.meta.url).href
  const library = JSON.stringify(new URL('../index.ts', import.meta.url).href)
  const code = `
    const found = await (await import(${library})).doctor({ measure: false })
    console.log(JSON.stringify({ ...found, text: String(found) }))`
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', pretence, '--input-type=module', '--eval', code],
    { encoding: 'utf8', env: { ...process.env, PRETEND: pretend } },
  )
  assert.equal(stderr, '')
  return JSON.parse(stdout)
}

test('lesser machines are told so', options, () => {
  const koffi = pretending('no koffi')
  assert.equal(koffi.koffi, null)
  assert.match(koffi.advice[0] ?? '', /npm install koffi@/)
  assert.deepEqual(koffi.chosen, { name: 'wasm', because: 'x64 does not work here' })
  assert.match(koffi.text, /x64 +does not work here\n.*wasm +works: .* – chosen: x64 does not work here/)
  assert.equal(koffi.machine.features?.avx2, true)
  assert.match(pretending('no AVX2').text, /instructions +no AVX2, no FMA, no AVX-512\n/)
  assert.match(pretending('no executable memory').advice[0] ?? '', /refused to make memory executable/)
  assert.match(pretending('macOS').text, /darwin on arm64\n/)
  const page = pretending('a page')
  assert.equal(page.machine.platform, null)
  assert.match(page.devices[0]?.refusal ?? '', /runs in Node.js only/)
})

test('a device that was set is what is chosen', async () => {
  setDevice('reference')
  const { chosen } = await doctor({ measure: false })
  assert.deepEqual(chosen, { name: 'reference', because: 'it has been set or used before' })
})
