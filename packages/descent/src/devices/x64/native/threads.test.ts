import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import type { Assembler } from '../assembler/assembler.ts'
import { addChunk, addOther, body, count, failAtFive, takeTime, Workbench } from './bodies.ts'
import { native } from './koffi.ts'
import { ThreadPool } from './threads.ts'

const options = { skip: typeof native() === 'string' ? (native() as string) : false }

test('alone or shared, by one, two or four threads: the same', options, () => {
  const chunks = 40
  const function_ = body(addChunk)
  for (const threads of [1, 2, 4]) {
    const pool = new ThreadPool(threads)
    const workbench = new Workbench(chunks)
    const table = workbench.table([
      [workbench.launch(function_, 7), workbench.launch(function_, chunks)],
      [workbench.launch(function_, 11)],
    ])
    const solo = (): boolean => pool.runSolo(table, workbench.scratchArea.base)
    const shared = (): boolean => pool.run(table, workbench.scratchArea)
    for (const run of [solo, shared, shared, shared, solo, shared]) {
      workbench.values.fill(0)
      assert.equal(run(), false)
      const expected = Array.from({ length: chunks }, (_, i) => (i + 1) * (1 + Number(i < 7) + Number(i < 11)))
      assert.deepEqual([...workbench.values], expected)
    }
    pool.settle()
    workbench.region.release()
  }
})

test('workers take part, each with its own scratch memory', options, () => {
  const pool = new ThreadPool(2)
  const workbench = new Workbench(16)
  const table = workbench.table([[workbench.launch(body(takeTime(20_000)), 16)]])
  let runs = 0
  const deadline = performance.now() + 10_000
  while (workbench.calls()[1] === 0 && performance.now() < deadline) {
    pool.run(table, workbench.scratchArea)
    runs++
  }
  const [main = 0, worker = 0, ...others] = workbench.calls()
  assert.ok(worker > 0, 'a second thread came')
  assert.equal(main + worker, 16 * runs)
  assert.deepEqual(others, [0, 0, 0, 0, 0, 0])
})

test('100,000 runs in which each step needs all of the step before', options, () => {
  const chunks = 12
  const pool = new ThreadPool(4)
  const workbench = new Workbench(2 * chunks)
  const slowly =
    (once: (asm: Assembler) => void) =>
    (asm: Assembler): void => {
      once(asm)
      takeTime(100)(asm)
    }
  const functions = [count, addOther(chunks)].map((once) => body(slowly(once)))
  const table = workbench.table(functions.map((address) => [workbench.launch(address, chunks)]))
  const runs = 100_000
  for (let i = 0; i < runs; i++) pool.run(table, workbench.scratchArea)
  assert.deepEqual([...workbench.values.subarray(0, chunks)], Array(chunks).fill(runs))
  assert.deepEqual([...workbench.values.subarray(chunks)], Array(chunks).fill(((runs * (runs + 1)) / 2) | 0))
})

test('phases of a launch follow each other', options, () => {
  const chunks = 12
  const pool = new ThreadPool(3)
  const workbench = new Workbench(2 * chunks)
  const phases = [count, addOther(chunks)].map((once) => ({ address: body(once), chunks }))
  const table = workbench.table([[{ phases, bind: workbench.valuesAddress, work: 1e6 }]])
  for (let i = 0; i < 1000; i++) pool.run(table, workbench.scratchArea)
  assert.deepEqual([...workbench.values.subarray(chunks)], Array(chunks).fill((1000 * 1001) / 2))
})

test('a failed check stops the plan when its step has ended, on every thread', options, () => {
  const workbench = new Workbench(24)
  const { recordAddress } = workbench
  const fail = workbench.launch(body(failAtFive(recordAddress)), 12)
  const counting = workbench.launch(body(count), 24)
  const table = workbench.table([[fail, counting], [counting]])
  for (const threads of [1, 2, 4]) {
    const pool = new ThreadPool(threads)
    for (let round = 0; round < 2000; round++) {
      workbench.values.fill(0)
      assert.equal(pool.run(table, workbench.scratchArea), true)
      assert.deepEqual([...workbench.record], [5, 5])
      workbench.record.fill(0)
      assert.ok(workbench.values.every((value) => value === 1))
    }
    workbench.record[0] = 1
    assert.equal(pool.runSolo(table, workbench.scratchArea.base), true)
    workbench.record[0] = 0
  }
})

test('an empty plan', options, () => {
  const pool = new ThreadPool(2)
  const workbench = new Workbench(1)
  const table = workbench.table([])
  for (let i = 0; i < 3; i++) assert.equal(pool.run(table, workbench.scratchArea), false)
  assert.equal(pool.runSolo(table, 0), false)
})

test('fewer and more threads at any time', options, () => {
  const chunks = 32
  const pool = new ThreadPool(2)
  const workbench = new Workbench(chunks)
  const table = workbench.table([[workbench.launch(body(addChunk), chunks)]])
  const expected = Array.from({ length: chunks }, (_, i) => (i + 1) * 200)
  for (const threads of [2, 5, 1, 3, 2, 8, 4]) {
    pool.setThreads(threads)
    assert.equal(pool.threads, threads)
    workbench.values.fill(0)
    for (let i = 0; i < 200; i++) pool.run(table, workbench.scratchArea)
    assert.deepEqual([...workbench.values], expected)
  }
})

test('workers start with the second run, end when idle, and start again', options, async () => {
  const pool = new ThreadPool(3, 40)
  const workbench = new Workbench(8)
  const table = workbench.table([[workbench.launch(body(count), 8)]])
  pool.run(table, workbench.scratchArea)
  assert.equal(pool.workers, 0)
  pool.run(table, workbench.scratchArea)
  assert.equal(pool.workers, 2)
  await until(() => pool.workers === 0)
  pool.run(table, workbench.scratchArea)
  assert.equal(pool.workers, 2)
  pool.setThreads(2)
  pool.run(table, workbench.scratchArea)
  await until(() => pool.workers <= 1)
  assert.ok(workbench.values.every((value) => value === 4))
})

test('memory may be given back as soon as the pool has settled', options, () => {
  const pool = new ThreadPool(4)
  const function_ = body(count)
  for (let i = 0; i < 3000; i++) {
    const workbench = new Workbench(8, 4096)
    const table = workbench.table([[workbench.launch(function_, 8)], [workbench.launch(function_, 8)]])
    pool.run(table, workbench.scratchArea)
    pool.run(table, workbench.scratchArea)
    assert.equal(workbench.values[7], 4)
    pool.settle()
    workbench.region.release()
  }
})

/** Runs a plan ten times on three threads; `workbench`, `pool`, `table` are there for what follows. */
const prelude = `
  const { Workbench, body, count, takeTime } = await import(${JSON.stringify(new URL('./bodies.ts', import.meta.url).href)})
  const { ThreadPool } = await import(${JSON.stringify(new URL('./threads.ts', import.meta.url).href)})
  const pool = new ThreadPool(3)
  const workbench = new Workbench(8)
  const table = workbench.table([[workbench.launch(body(count), 8)]])
  const sleep = (ms) => new Promise((done) => setTimeout(done, ms))
  for (let i = 0; i < 10; i++) pool.run(table, workbench.scratchArea)
`

for (const [when, pause] of [
  ['awake', 'await 0'],
  ['asleep', 'await sleep(30)'],
] as const) {
  test(`workers that are ${when} do not keep the process alive`, options, () => {
    const child = run(`${prelude}; ${pause}; console.log(pool.workers)`)
    assert.deepEqual([child.status, child.stdout], [0, '2\n'], child.stderr)
  })
  test(`process.exit with workers that are ${when}`, options, () => {
    assert.equal(run(`${prelude}; ${pause}; process.exit(7)`).status, 7)
  })
  test(`an uncaught error with workers that are ${when}`, options, () => {
    const child = run(`${prelude}; ${pause}; throw new Error('as it should')`)
    assert.equal(child.status, 1)
    assert.match(child.stderr, /as it should/)
  })
}

test('signals and a change of user reach a process with workers', options, () => {
  const child = run(`${prelude}
    process.setuid(process.getuid())
    process.on('SIGUSR2', () => process.exit(9))
    process.kill(process.pid, 'SIGUSR2')
    for (let i = 0; i < 1000; i++) { await sleep(1); pool.run(table, workbench.scratchArea) }
  `)
  assert.equal(child.status, 9, child.stderr)
})

test('several JavaScript threads, terminated in the middle of their runs', options, () => {
  const endless = `(async () => { ${prelude}
    process.getBuiltinModule('node:worker_threads').parentPort.postMessage('running')
    for (;;) { for (let i = 0; i < 100; i++) pool.run(table, workbench.scratchArea); await sleep(0) } })()`
  const child = run(`
    const { Worker } = await import('node:worker_threads')
    const started = async () => {
      const worker = new Worker(${JSON.stringify(endless)}, { eval: true })
      await new Promise((done) => worker.once('message', done))
      return worker
    }
    for (let round = 0; round < 3; round++) {
      const workers = await Promise.all([started(), started(), started()])
      await new Promise((done) => setTimeout(done, 20))
      if (round < 2) await Promise.all(workers.map((worker) => worker.terminate()))
      globalThis.gc?.()
    }
    process.exit(3)
  `)
  assert.equal(child.status, 3, child.stderr)
})

async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 10_000
  while (!condition()) {
    assert.ok(performance.now() < deadline, `not so after 10 s: ${condition}`)
    await setTimeout(5)
  }
}

function run(program: string): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['--input-type=module', '--eval', program], { encoding: 'utf8', timeout: 60_000 })
}
