/**
 * Pictures in a terminal: half blocks, two rows of pixels in a line of text, in colour where there is any, else characters that
 * are darker or lighter.
 */
import type { Pixels } from '../store/pixels.ts'

/** How many colours the terminal shows. */
export type Colours = 'none' | '256' | 'millions'

/** What this terminal can (https://no-color.org, and the bits that it reports). */
export function coloursOf(stream: NodeJS.WriteStream = process.stdout): Colours {
  if (!stream.isTTY || process.env.NO_COLOR) return 'none'
  const depth = stream.getColorDepth()
  return depth >= 24 ? 'millions' : depth >= 8 ? '256' : 'none'
}

const shades = ' .:-=+*#%@'

/** Lines of text at most `columns` wide and `rows` high, in the picture's proportions; small pictures keep their pixels. */
export function pictureLines(pixels: Pixels, columns: number, rows: number, colours: Colours): string[] {
  const scale = Math.min(1, columns / pixels.width, (2 * rows) / pixels.height)
  const width = Math.max(1, Math.floor(pixels.width * scale))
  const height = Math.max(2, 2 * Math.ceil(Math.floor(pixels.height * scale) / 2))
  const at = sampler(pixels, width, height)
  return Array.from({ length: height / 2 }, (_, line) => {
    const cells = Array.from({ length: width }, (_, column) =>
      cell(at(column, 2 * line), at(column, 2 * line + 1), colours),
    )
    return cells.join('') + (colours === 'none' ? '' : '\x1b[0m')
  })
}

type Colour = readonly [red: number, green: number, blue: number]

/** The mean colour of the pixels that fall into a cell of a `width` × `height` grid. */
function sampler({ width: w, height: h, channels, bytes }: Pixels, width: number, height: number) {
  return (x: number, y: number): Colour => {
    const [left, right] = [
      Math.floor((x * w) / width),
      Math.max(Math.floor(((x + 1) * w) / width), Math.floor((x * w) / width) + 1),
    ]
    const [top, bottom] = [
      Math.floor((y * h) / height),
      Math.max(Math.floor(((y + 1) * h) / height), Math.floor((y * h) / height) + 1),
    ]
    const sum = [0, 0, 0]
    let count = 0
    for (let row = top; row < Math.min(bottom, h); row++) {
      for (let column = left; column < Math.min(right, w); column++, count++) {
        for (let c = 0; c < 3; c++) {
          sum[c] = (sum[c] as number) + (bytes[(row * w + column) * channels + (channels === 1 ? 0 : c)] as number)
        }
      }
    }
    return sum.map((value) => value / Math.max(1, count)) as unknown as Colour
  }
}

function cell(upper: Colour, lower: Colour, colours: Colours): string {
  switch (colours) {
    case 'millions':
      return `\x1b[38;2;${upper.map(Math.round).join(';')};48;2;${lower.map(Math.round).join(';')}m▀`
    case '256':
      return `\x1b[38;5;${palette(upper)};48;5;${palette(lower)}m▀`
    case 'none':
      return shades[Math.round(((light(upper) + light(lower)) / 510) * (shades.length - 1))] as string
    default:
      return colours satisfies never
  }
}

/** The nearest of the 24 greys where there is no colour, else of the 6 × 6 × 6 cube. */
function palette(colour: Colour): number {
  if (Math.max(...colour) - Math.min(...colour) < 12) return 232 + Math.round((light(colour) / 255) * 23)
  const [r, g, b] = colour.map((value) => Math.round((value / 255) * 5)) as unknown as Colour
  return 16 + 36 * r + 6 * g + b
}

function light([r, g, b]: Colour): number {
  return 0.299 * r + 0.587 * g + 0.114 * b
}
