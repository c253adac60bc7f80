import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type BoundLaunch, layoutSchedule, stageFields, tableFields, taskFields } from './schedule.ts'

/** A launch of `phases` phases with so many chunks each. */
function launch(address: number, chunks: number[], work: number): BoundLaunch {
  return { phases: chunks.map((count, i) => ({ address: address + i, chunks: count })), bind: address + 100, work }
}

test('a table holds what is to be done, stage by stage', () => {
  const high = 2 ** 46
  const steps = [[launch(high, [10, 3], 80_000), launch(2000, [100], 100)], [launch(3000, [0], 0)]]
  const { table, parallel } = layoutSchedule(steps, high + 8)
  const view = new DataView(table.buffer)
  const i32 = (at: number): number => view.getInt32(at, true)
  const i64 = (at: number): number => Number(view.getBigInt64(at, true))
  assert.equal(parallel, true)
  assert.equal(i64(tableFields.stages), 3)
  assert.equal(i64(tableFields.errorRecord), high + 8)

  const first = tableFields.firstStage
  assert.equal(first % 64, 0)
  assert.deepEqual([i32(first + stageFields.next), i32(first + stageFields.done)], [0, 0])
  // 40 µs in 10 chunks: a claim each. 100 ns: one claim for all.
  assert.equal(i32(first + stageFields.claims), 11)
  assert.equal(i32(first + stageFields.endsStep), 0)
  assert.equal(i32(first + stageFields.tasks), 2)
  const task = first + stageFields.firstTask
  assert.equal(i64(task + taskFields.function), high)
  assert.equal(i64(task + taskFields.bind), high + 100)
  assert.deepEqual(
    [taskFields.chunks, taskFields.grain, taskFields.claims].map((field) => i32(task + field)),
    [10, 1, 10],
  )
  const other = task + taskFields.bytes
  assert.equal(i64(other + taskFields.function), 2000)
  assert.deepEqual(
    [taskFields.chunks, taskFields.grain, taskFields.claims].map((field) => i32(other + field)),
    [100, 100, 1],
  )

  const second = first + i32(first + stageFields.bytes)
  assert.equal(second % 64, 0)
  assert.equal(i64(second + stageFields.firstTask + taskFields.function), high + 1)
  assert.deepEqual([i32(second + stageFields.claims), i32(second + stageFields.endsStep)], [3, 1])
  assert.equal(i32(second + stageFields.bytes), 64, 'a stage with one task is one cache line')

  const third = second + 64
  assert.deepEqual([i32(third + stageFields.tasks), i32(third + stageFields.endsStep)], [0, 1])
  assert.equal(third + i32(third + stageFields.bytes), table.length)
})

test('little work is not worth several threads', () => {
  assert.equal(layoutSchedule([[launch(0, [64], 8_000)]], 0).parallel, false)
  assert.equal(layoutSchedule([[launch(0, [1], 1e6)]], 0).parallel, false)
})
