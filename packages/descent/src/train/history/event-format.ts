/**
 * TensorBoard's event files: TFRecords (length, CRC, bytes, CRC) of `Event` messages in protobuf's wire format. What is
 * written is what scalars need. Sources: tensorflow/core/util/event.proto, tensorflow/core/lib/io/record_writer.h, RFC
 * 3720 (CRC32C).
 */

/** CRC32C (Castagnoli). */
export function crc32c(bytes: Uint8Array): number {
  let crc = -1
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (0x82f63b78 & -(crc & 1))
  }
  return ~crc >>> 0
}

/** CRCs of data that holds CRCs are weak: TFRecords rotate them and add a constant. */
function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0
}

/** A record: u64 length, u32 masked CRC of the length, the bytes, u32 masked CRC of the bytes. */
export function record(bytes: Uint8Array): Uint8Array {
  const framed = new Uint8Array(bytes.length + 16)
  const view = new DataView(framed.buffer)
  view.setBigUint64(0, BigInt(bytes.length), true)
  view.setUint32(8, masked(crc32c(framed.subarray(0, 8))), true)
  framed.set(bytes, 12)
  view.setUint32(12 + bytes.length, masked(crc32c(bytes)), true)
  return framed
}

type Bytes = readonly number[]

function varint(value: number): Bytes {
  const bytes: number[] = []
  let rest = BigInt(value)
  for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128)
  return [...bytes, Number(rest)]
}

/** Fields by protobuf's wire types: 0 varint, 1 eight bytes, 2 of stated length, 5 four bytes. */
const whole = (field: number, value: number): Bytes => [field << 3, ...varint(value)]
const message = (field: number, bytes: Bytes): Bytes => [(field << 3) | 2, ...varint(bytes.length), ...bytes]
const text = (field: number, value: string): Bytes => message(field, [...new TextEncoder().encode(value)])
const float64 = (field: number, value: number): Bytes => [
  (field << 3) | 1,
  ...new Uint8Array(Float64Array.of(value).buffer),
]
const float32 = (field: number, value: number): Bytes => [
  (field << 3) | 5,
  ...new Uint8Array(Float32Array.of(value).buffer),
]

/** The first record of a file: its version. Times are seconds since 1970. */
export function versionEvent(time: number): Uint8Array {
  return record(Uint8Array.from([...float64(1, time), ...text(3, 'brain.Event:2')]))
}

/** Says that a training starts (again) at a step: what an earlier file says of it and later ones is void. */
export function startEvent(time: number, step: number): Uint8Array {
  return record(Uint8Array.from([...float64(1, time), ...whole(2, step), ...message(7, whole(1, 1))]))
}

/** Scalars of a step, by tag; f32 in the file. */
export function scalarEvent(time: number, step: number, scalars: Readonly<Record<string, number>>): Uint8Array {
  const values = Object.entries(scalars).flatMap(([tag, value]) => message(1, [...text(1, tag), ...float32(2, value)]))
  return record(Uint8Array.from([...float64(1, time), ...whole(2, step), ...message(5, values)]))
}
