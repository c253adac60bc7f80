/**
 * TypeScript examples in texts: finds the ```ts blocks of a Markdown page, or of the docstrings of a source file, and
 * runs them. A comment `// → text` after a console.log says what it prints (further `//` lines continue it; runs of
 * white space count as one blank).
 */
import { stripTypeScriptTypes } from 'node:module'
import { format } from 'node:util'
import { manualSeed, setDevice } from '../packages/descent/src/index.ts'

export interface Block {
  /** The line of the file on which the code begins, from 1. */
  readonly line: number
  readonly code: string
}

/** The ```ts blocks of a Markdown text. */
export function markdownBlocks(text: string): Block[] {
  return blocks(text.split('\n'))
}

/** The ```ts blocks of the docstrings of a TypeScript text: lines that begin with ` * `. */
export function docstringBlocks(text: string): Block[] {
  return blocks(text.split('\n').map((line) => /^\s*\* ?(.*)$/.exec(line)?.[1] ?? ''))
}

function blocks(lines: readonly string[]): Block[] {
  const found: Block[] = []
  let start = -1
  for (const [i, line] of lines.entries()) {
    if (start < 0 && /^\s*```ts\s*$/.test(line)) start = i + 1
    else if (start >= 0 && /^\s*```\s*$/.test(line)) {
      found.push({ line: start + 1, code: lines.slice(start, i).join('\n') })
      start = -1
    }
  }
  return found
}

/** What the comments of a block say it prints, in order. */
export function expectedOutput(code: string): string[] {
  const expected: string[] = []
  let open = false
  for (const line of code.split('\n')) {
    const first = /\/\/ → (.*)$/.exec(line)
    const further: RegExpExecArray | null = open ? /^\s*\/\/ ?(.*)$/.exec(line) : null
    if (first) expected.push(first[1] as string)
    else if (further) expected.push(`${expected.pop()} ${further[1]}`)
    open = first !== null || further !== null
  }
  return expected.map(normalized)
}

export function normalized(text: string): string {
  return text.replace(/\s+/g, ' ').trim()
}

const sources = new URL('../packages/descent/src/', import.meta.url).href
const loop = new URL('../packages/loop/src/index.ts', import.meta.url).href

/** Runs a block as a module of its own and returns what it printed, one entry a call of console.log. */
export async function runBlock(code: string): Promise<string[]> {
  const printed: string[] = []
  const script = stripTypeScriptTypes(code)
    .replaceAll(/from 'descent(\/\w+)?'/g, (_, part = '') => `from '${sources}${part}/index.ts'`)
    .replaceAll("from '@descent/loop'", `from '${loop}'`)
  const { log } = console
  setDevice('wasm')
  manualSeed(0)
  console.log = (...values: unknown[]) => {
    printed.push(normalized(format(...values)))
  }
  try {
    // A number makes each run a module of its own, even where two blocks have the same text.
    await import(`data:text/javascript,${encodeURIComponent(`${script}\n// ${count++}`)}`)
  } finally {
    console.log = log
  }
  return printed
}
let count = 0
