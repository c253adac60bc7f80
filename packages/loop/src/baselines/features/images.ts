/**
 * Images as dense rows: histograms of oriented gradients (Dalal and Triggs, CVPR 2005), which say where edges run in
 * which direction whatever the light, and the mean of each zone, which says where it is bright.
 */
import { UserError } from '../../errors.ts'
import type { Work } from '../../progress.ts'
import { Pace } from '../pace.ts'
import type { Table } from '../rows.ts'

/** `count` images of one size, a byte a channel: [count, height, width, channels]. */
export interface Images {
  readonly count: number
  readonly height: number
  readonly width: number
  readonly channels: number
  readonly bytes: Uint8Array
}

export interface ImageOptions extends Work {
  /** The side of a cell, in pixels: an eighth of the shorter side, from 4 on, unless said otherwise. */
  readonly cell?: number | undefined
}

/** Directions from 0° to 180°: an edge has no sign. */
const DIRECTIONS = 9
/** A block of 2 × 2 cells has one measure of contrast. */
const BLOCK = 2
/** No direction may count for more than this share of a block's contrast: Lowe's (2004) way with glare. */
const MOST_SHARE = 0.2

/** A row an image: [blocks · 4 · 9] histograms, then [cells · channels] means. Throws UserError on a wrong shape. */
export async function imageRows(images: Images, options: ImageOptions = {}): Promise<Table> {
  const { count, height, width, channels, bytes } = images
  const size = height * width * channels
  if (bytes.length !== count * size) {
    const shape = `[${count}, ${height}, ${width}, ${channels}]`
    throw new UserError(`Images ${shape} need ${count * size} bytes, not ${bytes.length}.`)
  }
  const grid = gridOf(height, width, options.cell)
  const pace = new Pace(options, 'measuring images')
  const columns = grid.blocks * BLOCK * BLOCK * DIRECTIONS + grid.down * grid.across * channels
  const values = new Float32Array(count * columns)
  const histograms = new Float64Array(grid.down * grid.across * DIRECTIONS)
  for (let i = 0; i < count; i++) {
    const image = bytes.subarray(i * size, (i + 1) * size)
    const row = values.subarray(i * columns, (i + 1) * columns)
    gradients(image, images, grid, histograms.fill(0))
    const used = blocks(histograms, grid, row)
    zones(image, images, grid, row.subarray(used))
    if (pace.due()) await pace.rest(i / count)
  }
  return { rows: count, columns, values }
}

/** The names of the columns of `imageRows`, for one who asks what a model looks at. */
export function imageColumns(images: Omit<Images, 'count' | 'bytes'>, options: ImageOptions = {}): string[] {
  const { cell, down, across } = gridOf(images.height, images.width, options.cell)
  const names: string[] = []
  for (let y = 0; y + BLOCK <= down; y++) {
    for (let x = 0; x + BLOCK <= across; x++) {
      for (let part = 0; part < BLOCK * BLOCK; part++) {
        const [top, left] = [(y + Math.floor(part / BLOCK)) * cell, (x + (part % BLOCK)) * cell]
        for (let d = 0; d < DIRECTIONS; d++) {
          names.push(`edge ${(d * 180) / DIRECTIONS}° at (${left}, ${top}) in block (${x}, ${y})`)
        }
      }
    }
  }
  for (let y = 0; y < down; y++) {
    for (let x = 0; x < across; x++) {
      for (let c = 0; c < images.channels; c++) {
        names.push(`mean at (${x * cell}, ${y * cell})${images.channels > 1 ? ` of channel ${c}` : ''}`)
      }
    }
  }
  return names
}

interface Grid {
  readonly cell: number
  readonly down: number
  readonly across: number
  readonly blocks: number
}

function gridOf(height: number, width: number, side: number | undefined): Grid {
  const cell = side ?? Math.max(4, Math.round(Math.min(height, width) / 8))
  if (!Number.isInteger(cell) || cell < 1)
    throw new UserError(`Image features: a cell of ${cell} pixels cannot be. Take a whole number above 0.`)
  // Cells cover the whole image; the last ones may reach over its edge.
  const [down, across] = [Math.ceil(height / cell), Math.ceil(width / cell)]
  return { cell, down, across, blocks: Math.max(0, down - BLOCK + 1) * Math.max(0, across - BLOCK + 1) }
}

/**
 * Adds each pixel's gradient to the histograms [down, across, directions] of the four cells around it, by nearness, and
 * to the two directions on both sides of its own. The channel with the largest gradient speaks for the pixel.
 */
function gradients(image: Uint8Array, { height, width, channels }: Images, grid: Grid, histograms: Float64Array): void {
  const { cell, down, across } = grid
  const line = width * channels
  for (let y = 0; y < height; y++) {
    const above = Math.max(y - 1, 0) * line
    const below = Math.min(y + 1, height - 1) * line
    const cellY = (y + 0.5) / cell - 0.5
    const top = Math.floor(cellY)
    for (let x = 0; x < width; x++) {
      const before = y * line + Math.max(x - 1, 0) * channels
      const after = y * line + Math.min(x + 1, width - 1) * channels
      let square = 0
      let [dx, dy] = [0, 0]
      for (let c = 0; c < channels; c++) {
        const gx = (image[after + c] as number) - (image[before + c] as number)
        const gy = (image[below + x * channels + c] as number) - (image[above + x * channels + c] as number)
        if (gx * gx + gy * gy > square) {
          square = gx * gx + gy * gy
          dx = gx
          dy = gy
        }
      }
      if (square === 0) continue
      const magnitude = Math.sqrt(square) / 255
      const turn = Math.atan2(dy, dx) / Math.PI
      const direction = (turn - Math.floor(turn)) * DIRECTIONS
      const d = Math.floor(direction)
      const d0 = d % DIRECTIONS
      const d1 = (d + 1) % DIRECTIONS
      const towards = direction - d
      const cellX = (x + 0.5) / cell - 0.5
      const left = Math.floor(cellX)
      for (let v = 0; v < 2; v++) {
        const row = top + v
        if (row < 0 || row >= down) continue
        const high = magnitude * (v === 0 ? 1 - (cellY - top) : cellY - top)
        for (let h = 0; h < 2; h++) {
          const column = left + h
          if (column < 0 || column >= across) continue
          const weight = high * (h === 0 ? 1 - (cellX - left) : cellX - left)
          const at = (row * across + column) * DIRECTIONS
          histograms[at + d0] = (histograms[at + d0] as number) + weight * (1 - towards)
          histograms[at + d1] = (histograms[at + d1] as number) + weight * towards
        }
      }
    }
  }
}

/** Every block of 2 × 2 cells, brought to length 1, cut off at 0.2 and brought to length 1 again (L2-Hys). */
function blocks(histograms: Float64Array, { down, across }: Grid, out: Float32Array): number {
  const length = BLOCK * BLOCK * DIRECTIONS
  let at = 0
  for (let y = 0; y + BLOCK <= down; y++) {
    for (let x = 0; x + BLOCK <= across; x++) {
      const block = out.subarray(at, at + length)
      for (let v = 0; v < BLOCK; v++) {
        const from = ((y + v) * across + x) * DIRECTIONS
        block.set(histograms.subarray(from, from + BLOCK * DIRECTIONS), v * BLOCK * DIRECTIONS)
      }
      normalise(block, MOST_SHARE)
      normalise(block, 1)
      at += length
    }
  }
  return at
}

/** The small constant keeps what is noise in an even place from growing. */
function normalise(block: Float32Array, most: number): void {
  let square = 1e-4
  for (let i = 0; i < block.length; i++) square += (block[i] as number) ** 2
  const scale = 1 / Math.sqrt(square)
  for (let i = 0; i < block.length; i++) block[i] = Math.min((block[i] as number) * scale, most)
}

/** The mean of each cell in each channel, from 0 to 1. */
function zones(
  image: Uint8Array,
  { height, width, channels }: Images,
  { cell, down, across }: Grid,
  out: Float32Array,
) {
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const zone = (Math.floor(y / cell) * across + Math.floor(x / cell)) * channels
      for (let c = 0; c < channels; c++) {
        out[zone + c] = (out[zone + c] as number) + (image[(y * width + x) * channels + c] as number)
      }
    }
  }
  for (let zone = 0; zone < down * across; zone++) {
    const tall = Math.min(cell, height - Math.floor(zone / across) * cell)
    const wide = Math.min(cell, width - (zone % across) * cell)
    for (let c = 0; c < channels; c++) {
      out[zone * channels + c] = (out[zone * channels + c] as number) / (255 * tall * wide)
    }
  }
}
