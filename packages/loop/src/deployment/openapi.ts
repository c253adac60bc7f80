/** The description of the server as OpenAPI 3.1, from the champion's signature. */
import type { ServedModel } from '../registry/served-model.ts'
import type { InputSchema, OtherField } from './inputs.ts'
import { inputTensors, outputTensors } from './open-inference/signature.ts'
import type { ServeSettings } from './settings.ts'

type Schema = Readonly<Record<string, unknown>>

export function openApi(name: string, schema: InputSchema, model: ServedModel, settings: ServeSettings): Schema {
  const { output } = model.signature
  const value = output.task === 'class' ? { type: 'string', enum: [...output.classes] } : { type: 'number' }
  return {
    openapi: '3.1.0',
    info: {
      title: `${name}, version ${model.version}`,
      version: String(model.version),
      description: 'A model served by Descent. Errors are {"error": "one sentence"}.',
    },
    // Where no token is needed, the empty requirement says so.
    security: [{ token: [] }, ...(settings.requireToken ? [] : [{}])],
    paths: {
      '/predict': {
        post: operation('predict', `Predicts one input, or a list of up to ${settings.maxBatch}.`, {
          parameters: [waitParameter, ...(model.ensemble ? [ensembleParameter] : [])],
          requestBody: { required: true, content: requestContent(schema) },
          ok: jsonOf({ oneOf: [ref('Prediction'), { type: 'array', items: ref('Prediction') }] }, 'The answer.'),
        }),
      },
      '/feedback/{predictionId}': {
        post: operation('feedback', 'Says what was true, so that accuracy can be known and the model can learn.', {
          parameters: [
            { name: 'predictionId', in: 'path', required: true, schema: { type: 'string', format: 'uuid' } },
          ],
          requestBody: {
            required: true,
            content: jsonContent({
              type: 'object',
              properties: { value, who: { type: 'string', maxLength: 100 } },
              required: ['value'],
              additionalProperties: false,
            }),
          },
          ok: jsonOf(
            {
              type: 'object',
              properties: {
                prediction: { type: 'string' },
                value,
                predicted: {},
                agrees: { type: ['boolean', 'null'] },
              },
            },
            'It is on the disk.',
          ),
        }),
      },
      ...openInferencePaths(name),
      '/metrics': {
        get: operation('metrics', 'Numbers for Prometheus.', {
          ok: { description: 'Text format 0.0.4.', content: { 'text/plain': { schema: { type: 'string' } } } },
        }),
      },
    },
    components: {
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: {
        Prediction: predictionSchema(model, value),
        Error: { type: 'object', properties: { error: { type: 'string' } }, required: ['error'] },
        Tensor: tensorSchema,
        InferRequest: {
          type: 'object',
          description: `Inputs: ${JSON.stringify(inputTensors(schema.input))}`,
          properties: {
            id: { type: 'string' },
            inputs: { type: 'array', items: ref('Tensor') },
            outputs: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
          },
          required: ['inputs'],
        },
        InferResponse: {
          type: 'object',
          description: `Outputs: ${JSON.stringify(outputTensors(output))}`,
          properties: {
            model_name: { type: 'string' },
            model_version: { type: 'string' },
            id: { type: 'string' },
            outputs: { type: 'array', items: ref('Tensor') },
          },
        },
      },
    },
  }
}

const ref = (name: string): Schema => ({ $ref: `#/components/schemas/${name}` })
const jsonContent = (schema: Schema): Schema => ({ 'application/json': { schema } })
const jsonOf = (schema: Schema, description: string): Schema => ({ description, content: jsonContent(schema) })

const waitParameter: Schema = {
  name: 'wait',
  in: 'query',
  description: 'logged: the answer comes when the prediction is on the disk, and says so in "logged".',
  schema: { type: 'string', enum: ['logged'] },
}

const ensembleParameter: Schema = {
  name: 'ensemble',
  in: 'query',
  description: 'So many passes with dropout on answer together; uncertainty is then theirs.',
  schema: { type: 'integer', minimum: 2, maximum: 32 },
}

const tensorSchema: Schema = {
  type: 'object',
  properties: {
    name: { type: 'string' },
    datatype: { type: 'string' },
    shape: { type: 'array', items: { type: 'integer' } },
    data: { type: 'array' },
    parameters: { type: 'object' },
  },
  required: ['name', 'datatype', 'shape'],
}

function operation(operationId: string, summary: string, { ok, ...rest }: { readonly ok: Schema } & Schema): Schema {
  const error = (description: string) => jsonOf(ref('Error'), description)
  return {
    operationId,
    summary,
    ...rest,
    responses: {
      200: ok,
      '4XX': error('What is wrong with the request, in one sentence.'),
      503: error('The server is busy: try again in a second.'),
    },
  }
}

function predictionSchema({ signature: { output } }: ServedModel, value: Schema): Schema {
  const common = {
    id: { type: 'string', format: 'uuid', description: 'For feedback.' },
    version: { type: 'integer' },
    logged: { type: 'boolean' },
  }
  if (output.task === 'number') {
    return {
      type: 'object',
      properties: {
        ...common,
        value,
        uncertainty: { type: ['number', 'null'], description: 'Of an ensemble: the standard deviation.' },
      },
      required: ['id', 'version', 'value'],
    }
  }
  return {
    type: 'object',
    properties: {
      ...common,
      label: value,
      probabilities: {
        type: 'object',
        properties: Object.fromEntries(output.classes.map((name) => [name, { type: 'number' }])),
      },
      uncertainty: { type: 'number', minimum: 0, maximum: 1, description: '0: certain, 1: a guess.' },
    },
    required: ['id', 'version', 'label', 'probabilities', 'uncertainty'],
  }
}

function requestContent({ input, others }: InputSchema): Schema {
  const orList = (schema: Schema): Schema => jsonContent({ oneOf: [schema, { type: 'array', items: schema }] })
  const binary = { schema: { type: 'string', format: 'binary' } }
  switch (input.kind) {
    case 'row':
      return orList({
        type: 'object',
        properties: Object.fromEntries([...input.fields, ...others].map((field) => [field.name, fieldSchema(field)])),
        additionalProperties: false,
      })
    case 'text':
      return {
        ...orList({ type: 'object', properties: { text: { type: 'string' } }, required: ['text'] }),
        'text/plain': { schema: { type: 'string' } },
      }
    case 'image': {
      const count = input.width * input.height * input.channels
      const pixels = { type: 'array', items: { type: 'integer', minimum: 0, maximum: 255 } }
      const side = { type: 'integer', minimum: 1, maximum: 4096 }
      return {
        ...orList({
          oneOf: [
            {
              type: 'object',
              properties: { image: { type: 'string', contentEncoding: 'base64' } },
              required: ['image'],
            },
            {
              type: 'object',
              description: `Without a size: ${input.width} × ${input.height} × ${input.channels} = ${count} numbers.`,
              properties: { pixels, width: side, height: side, channels: { type: 'integer', enum: [1, 3] } },
              required: ['pixels'],
            },
          ],
        }),
        'image/png': binary,
        'image/jpeg': binary,
        'application/octet-stream': binary,
      }
    }
    default:
      return input satisfies never
  }
}

function fieldSchema(field: InputField): Schema {
  switch (field.type) {
    case 'number':
      return { type: ['number', 'null'] }
    case 'boolean':
      return { type: ['boolean', 'null'] }
    case 'date':
      return { type: ['string', 'null'], description: 'A date, such as 2024-03-01.' }
    case 'category':
      return {
        type: ['string', 'null'],
        ...(field.levels && { examples: field.levels.slice(0, 20) }),
        description: 'A level that training did not have counts as unknown.',
      }
    case 'text':
      return { type: ['string', 'null'], description: 'Kept, but not used by this version.' }
    default:
      return field.type satisfies never
  }
}

interface InputField extends OtherField {
  readonly levels?: readonly string[]
}

function openInferencePaths(name: string): Schema {
  const path = `/v2/models/${encodeURIComponent(name)}`
  const version = { name: 'version', in: 'path', required: true, schema: { type: 'string' } }
  const infer = (id: string, parameters: readonly Schema[]) =>
    operation(id, 'Predicts, by the Open Inference Protocol.', {
      parameters: [...parameters, waitParameter],
      requestBody: { required: true, content: jsonContent(ref('InferRequest')) },
      ok: jsonOf(ref('InferResponse'), 'The answer.'),
    })
  const get = (id: string, summary: string, parameters: readonly Schema[] = []) => ({
    get: operation(id, summary, { parameters, ok: jsonOf({ type: 'object' }, 'Yes, and what there is to say.') }),
  })
  return {
    '/v2': get('server', 'What this server is.'),
    '/v2/health/live': get('live', 'Whether it lives.'),
    '/v2/health/ready': get('ready', 'Whether it answers.'),
    [path]: get('model', "The model's inputs and outputs."),
    [`${path}/ready`]: get('modelReady', 'Whether the model answers.'),
    [`${path}/infer`]: { post: infer('infer', []) },
    [`${path}/versions/{version}`]: get('version', "A version's inputs and outputs.", [version]),
    [`${path}/versions/{version}/ready`]: get('versionReady', 'Whether the version answers.', [version]),
    [`${path}/versions/{version}/infer`]: { post: infer('inferVersion', [version]) },
  }
}
