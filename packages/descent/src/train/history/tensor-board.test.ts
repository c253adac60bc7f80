import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import fc from 'fast-check'
import type { EpochReport } from '../progress.ts'
import { crc32c, record, scalarEvent } from './event-format.ts'
import { tensorBoard } from './tensor-board.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'board-'))
})
after(() => rm(folder, { recursive: true }))

test('CRC32C is that of RFC 3720, appendix B.4', () => {
  assert.equal(crc32c(new Uint8Array(32)), 0x8a9136aa)
  assert.equal(crc32c(new Uint8Array(32).fill(255)), 0x62a8ab43)
  assert.equal(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
  assert.equal(crc32c(new TextEncoder().encode('123456789')), 0xe3069283)
})

/** CRC32C by polynomial division, most significant bit first, of reflected bytes: another way than the writer's. */
function divided(bytes: Uint8Array): bigint {
  const reflected = (value: bigint, bits: number) =>
    BigInt(`0b${[...value.toString(2).padStart(bits, '0')].reverse().join('')}`)
  let register = 0xffffffffn
  for (const byte of bytes) {
    register ^= reflected(BigInt(byte), 8) << 24n
    for (let bit = 0; bit < 8; bit++) {
      register <<= 1n
      if (register >> 32n) register ^= 0x11edc6f41n
    }
  }
  return reflected(register ^ 0xffffffffn, 32)
}

const unmasked = (masked: number) => {
  const rotated = (masked - 0xa282ead8) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}

/** The records of a file, each with both CRCs checked. */
function records(bytes: Uint8Array): Uint8Array[] {
  const found: Uint8Array[] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true))
    assert.equal(BigInt(unmasked(view.getUint32(at + 8, true))), divided(bytes.subarray(at, at + 8)))
    const body = bytes.subarray(at + 12, at + 12 + length)
    assert.equal(body.length, length)
    assert.equal(BigInt(unmasked(view.getUint32(at + 12 + length, true))), divided(body))
    found.push(body)
    at += 16 + length
  }
  return found
}

type Field = number | bigint | Uint8Array

/** The fields of a protobuf message, read by the wire format. */
function fields(bytes: Uint8Array): [number, Field][] {
  const found: [number, Field][] = []
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let at = 0
  const varint = () => {
    let value = 0n
    for (let shift = 0n; ; shift += 7n) {
      const byte = BigInt(bytes[at++] as number)
      value |= (byte & 127n) << shift
      if (byte < 128n) return value
    }
  }
  while (at < bytes.length) {
    const tag = Number(varint())
    const field = tag >> 3
    if ((tag & 7) === 0) found.push([field, varint()])
    else if ((tag & 7) === 1) {
      found.push([field, view.getFloat64(at, true)])
      at += 8
    } else if ((tag & 7) === 5) {
      found.push([field, view.getFloat32(at, true)])
      at += 4
    } else {
      const length = Number(varint())
      found.push([field, bytes.subarray(at, at + length)])
      at += length
    }
  }
  return found
}

test('an event is read back field by field, whatever its step, tags and values; its CRCs are right', () => {
  const scalars = fc.dictionary(
    fc.string({ unit: 'binary', maxLength: 200 }).filter((tag) => tag !== '__proto__'),
    fc.float(),
    { maxKeys: 3 },
  )
  fc.assert(
    fc.property(fc.maxSafeNat(), fc.double(), scalars, (step, time, values) => {
      const [body, ...others] = records(scalarEvent(time, step, values))
      assert.equal(others.length, 0)
      const [wall, at, summary] = fields(body as Uint8Array)
      assert.deepEqual([wall, at, summary?.[0]], [[1, time], [2, BigInt(step)], 5])
      const read = fields(summary?.[1] as Uint8Array).map(([field, value]) => {
        assert.equal(field, 1)
        const [tag, simple] = fields(value as Uint8Array)
        assert.deepEqual([tag?.[0], simple?.[0]], [1, 2])
        return [new TextDecoder().decode(tag?.[1] as Uint8Array), simple?.[1]]
      })
      assert.deepEqual(
        read,
        Object.entries(values).map(([tag, value]) => [new TextDecoder().decode(new TextEncoder().encode(tag)), value]),
      )
    }),
    { numRuns: 60 },
  )
  assert.equal(records(record(new Uint8Array(300)))[0]?.length, 300)
})

const report = (epoch: number, loss: number): EpochReport => ({
  ...{ epoch, loss, metrics: { accuracy: 1 - loss / 10 }, validation: { loss: loss + 1, metrics: { accuracy: 0.5 } } },
  ...{ seconds: 2, examplesPerSecond: 1000 },
})

/** A training of three epochs that was stopped, and repeats the third. */
async function trained(to: string): Promise<void> {
  const optimizer = { groups: [{ lr: 0.25 }] }
  const first = tensorBoard(to, { optimizer })
  for (let epoch = 1; epoch <= 3; epoch++) {
    for (let step = 5 * epoch - 4; step <= 5 * epoch; step++) await first.onStep?.({ step, loss: 1 / step })
    await first.onEpoch(report(epoch, 4 - epoch))
  }
  await first.onEnd?.()
  const second = tensorBoard(to, { optimizer })
  await second.onStep?.({ step: 11, loss: 0.125 })
  await second.onEpoch(report(3, 0.5))
  await second.onEnd?.()
}

test('a training is written as runs train, validation and steps; nothing is made before there is something', async () => {
  const to = join(folder, 'bytes')
  await tensorBoard(to).onEnd?.()
  await assert.rejects(readdir(to), { code: 'ENOENT' })
  await trained(to)
  assert.deepEqual((await readdir(to)).sort(), ['steps', 'train', 'validation'])
  const files = (await readdir(join(to, 'train'))).sort()
  assert.equal(files.length, 2)
  const events = records(await readFile(join(to, 'train', files[0] as string))).map(fields)
  const [version, start, ...scalars] = events
  assert.equal(new TextDecoder().decode(version?.[1]?.[1] as Uint8Array), 'brain.Event:2')
  assert.deepEqual(fields(start?.[2]?.[1] as Uint8Array), [[1, 1n]])
  assert.deepEqual(
    scalars.map((event) => event[1]),
    [
      [2, 1n],
      [2, 2n],
      [2, 3n],
    ],
  )
})

const python = process.env.DESCENT_PYTHON ?? 'python3'
const { status } = spawnSync(python, ['-c', 'import tensorboard'])
const skip = status === 0 ? false : `${python} has no tensorboard; name one that has in DESCENT_PYTHON`

test("TensorBoard's own reader reads the scalars, and repeated epochs replace earlier ones", { skip }, async () => {
  const to = join(folder, 'read')
  await trained(to)
  const code = `
import json, sys
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer
runs = EventMultiplexer().AddRunsFromDirectory(sys.argv[1]).Reload()
print(json.dumps({run: {tag: [[e.step, e.value] for e in runs.Scalars(run, tag)] for tag in tags['scalars']} for run, tags in runs.Runs().items()}))`
  const { stdout, stderr } = spawnSync(python, ['-c', code, to], { encoding: 'utf8' })
  assert.ok(stdout, stderr)
  const f32 = Math.fround
  assert.deepEqual(JSON.parse(stdout), {
    train: {
      loss: [
        [1, 3],
        [2, 2],
        [3, 0.5],
      ],
      accuracy: [
        [1, f32(0.7)],
        [2, f32(0.8)],
        [3, f32(0.95)],
      ],
      seconds: [
        [1, 2],
        [2, 2],
        [3, 2],
      ],
      'examples per second': [
        [1, 1000],
        [2, 1000],
        [3, 1000],
      ],
      'learning rate': [
        [1, 0.25],
        [2, 0.25],
        [3, 0.25],
      ],
    },
    validation: {
      loss: [
        [1, 4],
        [2, 3],
        [3, 1.5],
      ],
      accuracy: [
        [1, 0.5],
        [2, 0.5],
        [3, 0.5],
      ],
    },
    steps: {
      loss: [...Array.from({ length: 10 }, (_, i) => [i + 1, f32(1 / (i + 1))]), [11, 0.125]],
      'learning rate': Array.from({ length: 11 }, (_, i) => [i + 1, 0.25]),
    },
  })
})
