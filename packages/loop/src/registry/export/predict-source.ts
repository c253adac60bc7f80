/** The text of `predict.ts` and `runtime.d.ts` of an exported folder: typed by the model's signature. */
import type { InputSignature, OutputSignature, VersionSignature } from '../served-model.ts'

export function predictSource(project: string, version: number, { input, output }: VersionSignature): string {
  return `/**
 * ${comment(project)}, version ${version}. \`await predict(…)\` runs it; nothing is needed but the files beside this one. From the command
 * line: node predict.ts ${usage(input)}
 */
import { loadModel } from './runtime.js'

${inputType(input)}

${outputType(output)}

const loaded = load()

export async function predict(input: Input): Promise<Prediction> {
  const { predict } = await loaded
  return (await predict(input)) as Prediction
}

async function load() {
  const [settings, program] = await Promise.all([read('settings.json'), read('model.wasm')])
  return loadModel(JSON.parse(new TextDecoder().decode(settings)), program)
}

/** A file beside this one: from the disk, or over the net. */
async function read(name: string): Promise<Uint8Array> {
  const url = new URL(name, import.meta.url)
  if (url.protocol === 'file:') return (await import('node:fs/promises')).readFile(url)
  const response = await fetch(url)
  if (!response.ok) throw new Error(\`\${url}: the server answered \${response.status}.\`)
  return new Uint8Array(await response.arrayBuffer())
}
${imageReader(input)}
if ((import.meta as { main?: boolean }).main) {
  const [given] = process.argv.slice(2)
  if (given === undefined) throw new Error(${JSON.stringify(`Usage: node predict.ts ${usage(input)}`)})
  console.log(JSON.stringify(await predict(${fromArgument(input)}), null, 2))
}
`
}

/** Types of the parts of the runtime that \`predict.ts\` uses. */
export const runtimeTypes = `/** Runs the exported program: see predict.ts for the types of this model. */
export function loadModel(settings: unknown, program: Uint8Array): Promise<{ predict(input: unknown): Promise<unknown> }>
`

function inputType(input: InputSignature): string {
  switch (input.kind) {
    case 'row': {
      const lines = input.fields.map((field) => `  readonly ${JSON.stringify(field.name)}?: ${fieldType(field)} | null`)
      return `/** What is left out or null counts as missing. */\nexport interface Input {\n${lines.join('\n')}\n}`
    }
    case 'image':
      return `/**
 * Pixels, row by row, the channels of a pixel together: grey (1), grey and alpha (2), RGB (3) or RGBA (4). Brought to
 * ${input.width} × ${input.height} pixels ${input.channels === 1 ? 'in grey' : 'in colour'} where they are of another size.
 */
export interface Input {
  readonly width: number
  readonly height: number
  readonly channels: 1 | 2 | 3 | 4
  readonly pixels: Uint8Array | Uint8ClampedArray
}`
    case 'text':
      return '/** A text. */\nexport type Input = string'
    default:
      return input satisfies never
  }
}

function fieldType(field: Extract<InputSignature, { kind: 'row' }>['fields'][number]): string {
  switch (field.type) {
    case 'number':
      return 'number'
    case 'boolean':
      return 'boolean'
    case 'date':
      return 'string | number'
    case 'category':
      // Levels are suggested; another text is taken too, and counts as unknown.
      return [
        ...field.levels.slice(0, 50).map((level) => JSON.stringify(level)),
        '(string & {})',
        'number',
        'boolean',
      ].join(' | ')
    default:
      return field satisfies never
  }
}

function outputType(output: OutputSignature): string {
  if (output.task === 'number') return 'export interface Prediction {\n  readonly value: number\n}'
  return `export type Label = ${output.classes.map((name) => JSON.stringify(name)).join(' | ')}

export interface Prediction {
  readonly label: Label
  readonly probabilities: Readonly<Record<Label, number>>
  /** From 0, certain, to 1: the entropy of the probabilities over its largest possible value. */
  readonly uncertainty: number
}`
}

function usage(input: InputSignature): string {
  switch (input.kind) {
    case 'row':
      return "'{ … }' (the fields as JSON)"
    case 'image':
      return 'image.png'
    case 'text':
      return '"a text"'
    default:
      return input satisfies never
  }
}

function fromArgument(input: InputSignature): string {
  switch (input.kind) {
    case 'row':
      return 'JSON.parse(given) as Input'
    case 'image':
      return "await decodeImage(await (await import('node:fs/promises')).readFile(given))"
    case 'text':
      return 'given'
    default:
      return input satisfies never
  }
}

function imageReader({ kind }: InputSignature): string {
  if (kind !== 'image') return ''
  return `
/** The pixels of a PNG, JPEG or other image file, in Node; needs the package sharp there. */
export async function decodeImage(bytes: Uint8Array): Promise<Input> {
  const name = 'sharp'
  const { default: sharp } = await import(name).catch(() => {
    throw new Error('Decoding an image file takes the package sharp: npm install sharp. Or give pixels to predict().')
  })
  const image = sharp(bytes).autoOrient().toColourspace('srgb').ensureAlpha().raw()
  const { data, info } = await image.toBuffer({ resolveWithObject: true })
  return { width: info.width, height: info.height, channels: 4, pixels: data }
}
`
}

const comment = (text: string) => text.replaceAll('*/', '* /')
