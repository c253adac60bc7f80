/**
 * A model's signature in the words of the Open Inference Protocol, version 2: named tensors with a datatype and a shape, in which −1
 * stands for the number of inputs in a request.
 *
 * Rows: a tensor for each field; an image model takes `image` as UINT8 [N, H, W, C] of any size, or files as BYTES [N]; texts are
 * BYTES [N]. Every answer has `prediction_id`, and `label`, `probabilities`, `uncertainty`, or `value`.
 */
import type { FieldSignature, InputSignature, OutputSignature, VersionSignature } from '../../registry/served-model.ts'

export interface TensorSignature {
  readonly name: string
  readonly datatype: string
  readonly shape: readonly number[]
}

export function inputTensors(input: InputSignature): TensorSignature[] {
  switch (input.kind) {
    case 'row':
      return input.fields.map((field) => ({ name: field.name, datatype: datatypeOf(field), shape: [-1] }))
    case 'image':
      return [{ name: 'image', datatype: 'UINT8', shape: [-1, input.height, input.width, input.channels] }]
    case 'text':
      return [{ name: 'text', datatype: 'BYTES', shape: [-1] }]
    default:
      return input satisfies never
  }
}

export function datatypeOf({ type }: Pick<FieldSignature, 'type'>): 'FP64' | 'BOOL' | 'BYTES' {
  switch (type) {
    case 'number':
      return 'FP64'
    case 'boolean':
      return 'BOOL'
    case 'category':
    case 'date':
      return 'BYTES'
    default:
      return type satisfies never
  }
}

export function outputTensors(output: OutputSignature): TensorSignature[] {
  const id = { name: 'prediction_id', datatype: 'BYTES', shape: [-1] }
  if (output.task === 'number') return [{ name: 'value', datatype: 'FP64', shape: [-1] }, id]
  return [
    { name: 'label', datatype: 'BYTES', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, output.classes.length] },
    { name: 'uncertainty', datatype: 'FP32', shape: [-1] },
    id,
  ]
}

export function modelMetadata(name: string, versions: readonly number[], { input, output }: VersionSignature): object {
  return {
    name,
    versions: versions.map(String),
    platform: 'descent',
    inputs: inputTensors(input),
    outputs: outputTensors(output),
    ...(output.task === 'class' && { parameters: { classes: output.classes.join(',') } }),
  }
}
