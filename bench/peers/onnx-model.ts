/**
 * The two networks of W5 as ONNX models, written directly in the protobuf wire format (onnx.proto, IR version 8,
 * opset 13): a field is its number and wire type, then a varint or a length and bytes.
 */
import { sequence } from '../workload.ts'

type Bytes = readonly number[]

function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 127) {
    bytes.push((rest % 128) + 128)
    rest = Math.floor(rest / 128)
  }
  return [...bytes, rest]
}
const int = (field: number, value: number): Bytes => [...varint(field * 8), ...varint(value)]
function message(field: number, parts: readonly (Bytes | Uint8Array)[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  const head = [...varint(field * 8 + 2), ...varint(length)]
  const bytes = new Uint8Array(head.length + length)
  bytes.set(head)
  let at = head.length
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
const text = (field: number, value: string): Uint8Array => message(field, [new TextEncoder().encode(value)])

function weights(name: string, shape: readonly number[], scale: number): Uint8Array {
  const values = sequence(shape.reduce((a, b) => a * b, 1)).map((v) => v * scale)
  return message(5, [
    ...shape.map((d) => int(1, d)),
    int(2, 1),
    text(8, name),
    message(9, [new Uint8Array(values.buffer)]),
  ])
}
function intsAttribute(name: string, values: readonly number[]): Uint8Array {
  return message(5, [text(1, name), ...values.map((v) => int(8, v)), int(20, 7)])
}
function node(
  op: string,
  inputs: readonly string[],
  output: string,
  attributes: readonly Uint8Array[] = [],
): Uint8Array {
  return message(1, [...inputs.map((i) => text(1, i)), text(2, output), text(4, op), ...attributes])
}
function value(field: number, name: string, shape: readonly number[]): Uint8Array {
  const dims = message(
    2,
    shape.map((d) => message(1, [int(1, d)])),
  )
  return message(field, [text(1, name), message(2, [message(1, [int(1, 1), dims])])])
}
function model(graph: readonly Uint8Array[]): Uint8Array {
  const opset = message(8, [int(2, 13)])
  // The outermost message has no head of its own.
  const parts = [Uint8Array.from(int(1, 8)), message(7, [...graph, text(2, 'net')]), opset]
  return Uint8Array.from(Buffer.concat(parts))
}

const dense = (input: string, a: number, b: number, number: number, output: string): Uint8Array[] => [
  node('Gemm', [input, `w${number}`, `b${number}`], output),
  weights(`w${number}`, [a, b], 1 / Math.sqrt(a)),
  weights(`b${number}`, [b], 0.1),
]

export function mlpModel(): Uint8Array {
  return model([
    ...dense('x', 784, 128, 1, 'h'),
    node('Relu', ['h'], 'r'),
    ...dense('r', 128, 10, 2, 'y'),
    value(11, 'x', [1, 784]),
    value(12, 'y', [1, 10]),
  ])
}

export function cnnModel(): Uint8Array {
  const kernel = intsAttribute('kernel_shape', [3, 3])
  return model([
    node('Conv', ['x', 'k1', 'c1'], 'a', [kernel]),
    weights('k1', [32, 1, 3, 3], 0.3),
    weights('c1', [32], 0.1),
    node('Relu', ['a'], 'ar'),
    node('Conv', ['ar', 'k2', 'c2'], 'b', [kernel]),
    weights('k2', [64, 32, 3, 3], 0.06),
    weights('c2', [64], 0.1),
    node('Relu', ['b'], 'br'),
    node('MaxPool', ['br'], 'p', [intsAttribute('kernel_shape', [2, 2]), intsAttribute('strides', [2, 2])]),
    node('Flatten', ['p'], 'f'),
    ...dense('f', 9216, 128, 1, 'h'),
    node('Relu', ['h'], 'r'),
    ...dense('r', 128, 10, 2, 'y'),
    value(11, 'x', [1, 1, 28, 28]),
    value(12, 'y', [1, 10]),
  ])
}
