import assert from 'node:assert/strict'
import { test } from 'node:test'
import { duration, type Moment, Progress } from './progress.ts'

const moment: Moment = {
  epoch: 1,
  epochs: 3,
  batch: 5,
  batches: 10,
  loss: 0.25,
  metrics: { accuracy: 0.9375, error: 12 },
  examplesPerSecond: 12345.6,
  secondsLeft: 75,
}
const report = { epoch: 1, loss: 0.25, metrics: { accuracy: 0.9375 }, seconds: 3.21, examplesPerSecond: 99 }

function shown(columns: number | null): { progress: Progress; text: () => string } {
  let text = ''
  return {
    progress: new Progress({
      columns,
      write: (more) => {
        text += more
      },
    }),
    text: () => text,
  }
}

test('a terminal shows one line that is redrawn, no wider than it', () => {
  const { progress, text } = shown(200)
  progress.moment(moment)
  assert.equal(
    text(),
    '\r\x1b[2Kepoch 1/3  ━━━━━━━━━━┄┄┄┄┄┄┄┄┄┄  batch 5/10  loss 0.2500  accuracy 93.75 %  error 12.0000  12,346 examples/s  1 min 15 s left',
  )
  progress.moment(moment)
  assert.equal(text().split('\r').length, 2, 'not more often than ten times a second')
})

test('in a narrow terminal the bar gives way to the time left', () => {
  const narrow = shown(118)
  narrow.progress.moment(moment)
  const line = narrow.text().slice('\r\x1b[2K'.length)
  assert.match(line, /^epoch 1\/3 {2}━+┄+ {2}batch .* 1 min 15 s left$/)
  assert.equal(line.length, 117)
  const narrowest = shown(20)
  narrowest.progress.moment(moment)
  assert.equal(narrowest.text(), '\r\x1b[2Kepoch 1/3  batch 5/')
})

test('where there is no terminal, each epoch is a plain line', () => {
  const { progress, text } = shown(null)
  progress.moment(moment)
  progress.epoch({ ...report, validation: { loss: 0.5, metrics: { accuracy: 0.5 } } }, 3)
  assert.equal(
    text(),
    'epoch 1/3: loss 0.2500, accuracy 93.75 %, validation loss 0.5000, validation accuracy 50.00 %, 99.0 examples/s, 3.2 s\n',
  )
})

test('durations are read at a glance', () => {
  assert.deepEqual([0.123, 9.96, 59.7, 192, 7500].map(duration), [
    '0.1 s',
    '10 s',
    '1 min 0 s',
    '3 min 12 s',
    '2 h 5 min',
  ])
})
