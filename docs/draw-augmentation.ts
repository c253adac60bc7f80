/** Draws augmentation.svg: ten digits of MNIST, and what each augmentation makes of them. `node docs/draw-augmentation.ts` */
import { writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { data } from 'descent'
import sharp from 'sharp'
import { readDigits } from '../examples/mnist/files.ts'

const SIDE = 28
const COLUMNS = 12

const rows: readonly (readonly [string, data.Transform])[] = [
  ['as they are', (batch) => batch],
  ['randomShift({ max: 4 })', data.randomShift({ max: 4 })],
  ['randomRotate({ degrees: 25 })', data.randomRotate({ degrees: 25 })],
  ['randomFlip()', data.randomFlip()],
  ['randomCrop({ size: 28, padding: 4 })', data.randomCrop({ size: 28, padding: 4 })],
  ['cutOut({ size: 10, fill: 0.5 })', data.cutOut({ size: 10, fill: 0.5 })],
  ['randomBrightness({ max: 0.3 })', data.randomBrightness({ max: 0.3 })],
  ['randomContrast({ max: 0.7 })', data.randomContrast({ max: 0.7 })],
  ['mixUp({ alpha: 1, classes: 10 })', data.mixUp({ alpha: 1, classes: 10 })],
  ['gaussianNoise({ std: 0.15 })', data.gaussianNoise({ std: 0.15 })],
  [
    'compose(…) of rotate, shift, cutOut',
    data.compose(data.randomRotate({ degrees: 15 }), data.randomShift({ max: 2 }), data.cutOut({ size: 8, fill: 0.5 })),
  ],
]

const { bytes, labels } = await readDigits('train')
const numbers = Int32Array.from({ length: COLUMNS }, (_, i) => i)
const digits: data.RawBatch = {
  x: {
    shape: [COLUMNS, 1, SIDE, SIDE],
    values: Float32Array.from(bytes.subarray(0, COLUMNS * SIDE * SIDE), (byte) => byte / 255),
  },
  y: { shape: [COLUMNS], values: Int32Array.from(labels.subarray(0, COLUMNS)) },
  numbers,
}

/** The images of a batch side by side, dark on light. */
async function strip({ x: { values } }: data.RawBatch): Promise<string> {
  const pixels = new Uint8Array(COLUMNS * SIDE * SIDE)
  for (let i = 0; i < COLUMNS; i++) {
    for (let p = 0; p < SIDE * SIDE; p++) {
      const ink = Math.min(1, Math.max(0, values[i * SIDE * SIDE + p] as number))
      pixels[Math.floor(p / SIDE) * COLUMNS * SIDE + i * SIDE + (p % SIDE)] = 255 - Math.round((255 * ink) / 17) * 17
    }
  }
  const raw = { width: COLUMNS * SIDE, height: SIDE, channels: 1 as const }
  const png = await sharp(pixels, { raw }).png({ compressionLevel: 9, palette: true, colours: 16 }).toBuffer()
  return png.toString('base64')
}

const [left, scale, gap] = [270, 1.5, 6]
const height = SIDE * scale + gap
const width = left + COLUMNS * SIDE * scale
const lines = await Promise.all(
  rows.map(async ([name, transform], row) => {
    const image = await strip(transform(digits, { seed: 3, epoch: 0 }))
    const y = row * height
    return `<text x="0" y="${y + height / 2}">${name}</text><image x="${left}" y="${y}" width="${COLUMNS * SIDE * scale}" height="${SIDE * scale}" href="data:image/png;base64,${image}"/>`
  }),
)
const svg = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="-8 -8 ${width + 16} ${rows.length * height + 10}" font-family="ui-monospace, monospace" font-size="12"><title>Twelve digits, and what each augmentation makes of them</title><rect x="-8" y="-8" width="100%" height="100%" fill="#fff"/>${lines.join('\n')}</svg>\n`
await writeFile(fileURLToPath(new URL('augmentation.svg', import.meta.url)), svg)
