import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonLines, parseLine } from './read-tables.ts'

test('a line whose bytes are not UTF-8 is bad; one that holds U+FFFD itself is not', async () => {
  const pieces = [Buffer.from('{"a":"caf\ufffd"}\n{"a":"b'), Buffer.from([0xff]), Buffer.from('"}\n{"a":"é"}')]
  async function* bytes() {
    yield* pieces
  }
  const rows = await Array.fromAsync(jsonLines(bytes()), parseLine)
  assert.deepEqual(rows, [{ a: 'caf\ufffd' }, 'the text is not UTF-8', { a: 'é' }])
})
