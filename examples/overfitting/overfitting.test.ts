import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fewDigits } from './digits.ts'
import { remedies, table, trained } from './remedies.ts'

test('without a remedy 100 digits are learned by heart; early stopping ends before; augmentation reads new ones better', async () => {
  const digits = await fewDigits({ train: 100, validation: 200, test: 500 })
  const of = (name: string) => remedies.find((remedy) => remedy.name === name) ?? assert.fail(name)
  const none = await trained(of('none'), digits, 30)
  const stopped = await trained(of('early stopping'), digits, 30)
  const augmented = await trained(of('augmentation'), digits, 30)
  assert.equal(none.train.metrics.accuracy, 1)
  assert.ok((none.test.metrics.accuracy as number) < 0.85)
  assert.ok(none.since !== null && none.since < 25, `${none.since}`)
  assert.match(none.message ?? '', /^Over-fitting since epoch \d+: the validation loss rose from /)
  assert.ok(stopped.epochs < 30)
  assert.ok(stopped.test.loss < none.test.loss, `${stopped.test.loss} ${none.test.loss}`)
  assert.ok(augmented.test.loss < none.test.loss, `${augmented.test.loss} ${none.test.loss}`)
  assert.ok((augmented.test.metrics.accuracy as number) > (none.test.metrics.accuracy as number))
  const [head, ...rows] = table([none, stopped])
  assert.match(head as string, /^ +epochs +training loss/)
  assert.match(rows[0] as string, /^none +30 +0\.\d{3} +100\.0 % +\d\.\d{3} +\d\d\.\d % +\d+$/)
})
