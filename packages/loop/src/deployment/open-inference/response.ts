/** Answers as an inference response of the Open Inference Protocol. */
import type { Answer, OutputSignature } from '../../registry/served-model.ts'
import { rounded } from '../answers.ts'
import { listed, shortened } from '../json.ts'
import { RequestError } from '../request-error.ts'
import type { InferRequest } from './request.ts'
import { outputTensors } from './signature.ts'
import { writeBinary } from './tensors.ts'

export interface InferResponse {
  readonly body: Buffer | string
  /** How many bytes of the body are JSON; null where all are. */
  readonly headerLength: number | null
}

export interface InferAnswers {
  readonly model: string
  readonly version: number
  readonly ids: readonly string[]
  readonly answers: readonly Answer[]
  readonly parameters: Readonly<Record<string, boolean>>
}

export function writeInferResponse(
  request: InferRequest,
  output: OutputSignature,
  answered: InferAnswers,
): InferResponse {
  const binaries: Buffer[] = []
  const outputs = wantedOutputs(request, output).map(({ name, datatype, shape, binary }) => {
    const values = valuesOf(name, answered)
    const tensor = { name, datatype, shape: shape.map((size) => (size < 0 ? answered.answers.length : size)) }
    if (!binary) return { ...tensor, data: values }
    const bytes = writeBinary(datatype as 'BYTES' | 'FP32' | 'FP64', values)
    binaries.push(bytes)
    return { ...tensor, parameters: { binary_data_size: bytes.length } }
  })
  const json = JSON.stringify({
    model_name: answered.model,
    model_version: String(answered.version),
    id: request.id ?? answered.ids[0],
    ...(Object.keys(answered.parameters).length > 0 && { parameters: answered.parameters }),
    outputs,
  })
  if (binaries.length === 0) return { body: json, headerLength: null }
  const head = Buffer.from(json)
  return { body: Buffer.concat([head, ...binaries]), headerLength: head.length }
}

/** @throws {RequestError} where an output was asked for that is not there */
export function wantedOutputs({ outputs, binary }: InferRequest, output: OutputSignature) {
  const known = outputTensors(output)
  if (outputs === null) return known.map((tensor) => ({ ...tensor, binary }))
  return outputs.map((wanted) => {
    const tensor = known.find(({ name }) => name === wanted.name)
    if (!tensor)
      throw new RequestError(
        400,
        `There is no output '${shortened(wanted.name, 60)}'; there are: ${listed(known.map(({ name }) => name))}.`,
      )
    return { ...tensor, binary: wanted.binary || binary }
  })
}

function valuesOf(name: string, { ids, answers }: InferAnswers): (string | number)[] {
  if (name === 'prediction_id') return [...ids]
  return answers.flatMap((answer) => {
    if ('value' in answer) return answer.value
    if (name === 'label') return answer.label
    return name === 'uncertainty' ? rounded(answer.uncertainty) : answer.probabilities.map(rounded)
  })
}
