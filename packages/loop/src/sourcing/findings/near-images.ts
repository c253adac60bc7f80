/**
 * Pictures that look the same, whatever their size, compression or brightness: candidates by a perceptual hash of the lowest
 * frequencies (pHash: Zauner, Implementation and benchmarking of perceptual image hash functions, 2010), found by sorting
 * rotations of the hashes (Manku, Jain and Sarma, Detecting near-duplicates, 2007), and confirmed on small copies by correlation.
 */

/** The side of the small copy, in pixels. */
export const side = 32
const frequencies = 8
/** Hashes of pictures that look the same differ in at most this many of their 63 bits. */
const mostBits = 10
/** How many neighbours in the order of the hashes are compared. */
const window = 8

/** What is kept of one picture. */
export interface ImageSketch {
  readonly hash: readonly [high: number, low: number]
  /** 16 × 16 grey values with mean 0 and length 1; null where the picture is of one colour. */
  readonly small: Float32Array | null
}

const cosines = Float64Array.from({ length: frequencies * side }, (_, i) => {
  const [u, x] = [Math.floor(i / side), i % side]
  return Math.cos(((2 * x + 1) * u * Math.PI) / (2 * side))
})

/** From grey values of a picture brought to 32 × 32 pixels, row by row. */
export function sketchImage(grey: ArrayLike<number>): ImageSketch {
  const rows = new Float64Array(side * frequencies)
  for (let y = 0; y < side; y++)
    for (let u = 0; u < frequencies; u++) {
      let sum = 0
      for (let x = 0; x < side; x++) sum += (grey[y * side + x] as number) * (cosines[u * side + x] as number)
      rows[y * frequencies + u] = sum
    }
  // The frequency 0 is the brightness, which does not matter.
  const parts = new Float64Array(frequencies * frequencies - 1)
  for (let i = 1; i <= parts.length; i++) {
    const [v, u] = [Math.floor(i / frequencies), i % frequencies]
    let sum = 0
    for (let y = 0; y < side; y++) sum += (rows[y * frequencies + u] as number) * (cosines[v * side + y] as number)
    parts[i - 1] = sum
  }
  const median = parts.slice().sort()[parts.length >> 1] as number
  const hash: [number, number] = [0, 0]
  for (const [i, part] of parts.entries()) if (part > median) hash[i >> 5] = (hash[i >> 5] as number) | (1 << (i & 31))
  return { hash: [hash[0] >>> 0, hash[1] >>> 0], small: smallCopy(grey) }
}

function smallCopy(grey: ArrayLike<number>): Float32Array | null {
  const half = side / 2
  const small = new Float32Array(half * half)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const at = (y >> 1) * half + (x >> 1)
      small[at] = (small[at] as number) + (grey[y * side + x] as number) / 4
    }
  const mean = small.reduce((sum, value) => sum + value, 0) / small.length
  let squares = 0
  for (let i = 0; i < small.length; i++) {
    small[i] = (small[i] as number) - mean
    squares += (small[i] as number) ** 2
  }
  // Below half a grey value of standard deviation nothing can be seen.
  if (squares < 0.25 * small.length) return null
  const length = Math.sqrt(squares)
  return small.map((value) => value / length)
}

/** The correlation of two small copies, from −1 to 1; 0 where one is of one colour. */
export function imageLikeness(a: ImageSketch, b: ImageSketch): number {
  if (!a.small || !b.small) return 0
  let sum = 0
  for (let i = 0; i < a.small.length; i++) sum += (a.small[i] as number) * (b.small[i] as number)
  return sum
}

/** For each picture an earlier one that correlates with it by at least `least`, or −1. */
export function nearImages(sketches: readonly ImageSketch[], least = 0.995): Int32Array {
  const like = new Int32Array(sketches.length).fill(-1)
  const best = new Float32Array(sketches.length).fill(least)
  const order = Uint32Array.from(sketches.keys())
  for (let turn = 0; turn < 8; turn++) {
    const keys = sketches.map(({ hash: [high, low] }) => {
      const bits = turn * 8
      const [a, b] = bits < 32 ? [high, low] : [low, high]
      const by = bits % 32
      const first = by === 0 ? a : (a << by) | (b >>> (32 - by))
      return (first >>> 0) * 2 ** 16 + ((by === 0 ? b : b << by) >>> 16)
    })
    order.sort((a, b) => (keys[a] as number) - (keys[b] as number) || a - b)
    for (let i = 0; i < order.length; i++) {
      for (let j = i + 1; j <= Math.min(i + window, order.length - 1); j++) {
        const [p, q] = [order[i] as number, order[j] as number]
        const [earlier, later] = p < q ? [p, q] : [q, p]
        const [a, b] = [sketches[earlier] as ImageSketch, sketches[later] as ImageSketch]
        if (differingBits(a, b) > mostBits) continue
        const likeness = imageLikeness(a, b)
        if (likeness < (best[later] as number)) continue
        best[later] = likeness
        like[later] = earlier
      }
    }
  }
  return like
}

function differingBits({ hash: [a, b] }: ImageSketch, { hash: [c, d] }: ImageSketch): number {
  return ones(a ^ c) + ones(b ^ d)
}

/** The number of ones in 32 bits (Warren, Hacker's Delight, 2012, §5-1). */
function ones(bits: number): number {
  let x = bits - ((bits >>> 1) & 0x55555555)
  x = (x & 0x33333333) + ((x >>> 2) & 0x33333333)
  return Math.imul((x + (x >>> 4)) & 0x0f0f0f0f, 0x01010101) >>> 24
}

/** Brings grey values to 32 × 32 pixels, each the mean of the area that it covers. */
export function shrink(pixels: Uint8Array, width: number, height: number, channels: number): Float64Array {
  const across = new Float64Array(height * side)
  average(width, (at, x, weight) => {
    for (let y = 0; y < height; y++) {
      let grey = 0
      for (let c = 0; c < channels; c++) grey += pixels[(y * width + x) * channels + c] as number
      across[y * side + at] = (across[y * side + at] as number) + (weight * grey) / channels
    }
  })
  const small = new Float64Array(side * side)
  average(height, (at, y, weight) => {
    for (let x = 0; x < side; x++)
      small[at * side + x] = (small[at * side + x] as number) + weight * (across[y * side + x] as number)
  })
  return small
}

/** Tells which share of each of the 32 places each of `length` pixels fills. */
function average(length: number, add: (place: number, pixel: number, share: number) => void): void {
  const step = length / side
  for (let place = 0; place < side; place++) {
    const [from, to] = [place * step, (place + 1) * step]
    for (let pixel = Math.floor(from); pixel < Math.min(length, Math.ceil(to)); pixel++)
      add(place, pixel, (Math.min(to, pixel + 1) - Math.max(from, pixel)) / step)
  }
}
