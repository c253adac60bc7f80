/**
 * The tutorials as programs: the ```ts blocks of a page, one after the other, are the file of the same name beside it. So
 * text and program cannot differ. What a block prints stands in the ```text block after it.
 *
 *   node docs/tutorials/programs.ts            writes the programs after a page has changed
 *   node docs/tutorials/programs.ts --print 3  also runs the third and writes what it prints into its page
 */
import { spawnSync } from 'node:child_process'
import { globSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const folder = fileURLToPath(new URL('.', import.meta.url))

export interface Tutorial {
  readonly number: number
  readonly page: string
  readonly program: string
  /** What the program's file must hold. */
  readonly code: string
  readonly blocks: readonly Block[]
}

/** Code, and what it prints. */
export interface Block {
  readonly code: string
  readonly printed: string
  /** 'numbers': they depend on the machine, the words do not. 'text': all of it does. */
  readonly varies: 'nothing' | 'numbers' | 'text'
}

const BLOCK = /```ts\n([\s\S]*?)```\n(?:\n(?:<!-- (numbers|text) var(?:y|ies) -->\n)?```text\n([\s\S]*?)```\n)?/g

export function tutorials(): Tutorial[] {
  return globSync('[0-9]-*.md', { cwd: folder })
    .sort()
    .map((name) => {
      const page = folder + name
      const text = readFileSync(page, 'utf8')
      const title = /^# (\d+)\. (.+)$/m.exec(text)
      const blocks = Array.from(
        text.matchAll(BLOCK),
        ([, code = '', varies, printed = '']): Block => ({
          ...{ code, printed },
          varies: varies === 'numbers' || varies === 'text' ? varies : 'nothing',
        }),
      )
      const head = `// ${title?.[2]}: the program of the page ${name}, from which it is made. Change it there.\n`
      const code = head + blocks.map((block) => block.code).join('\n')
      return { number: Number(title?.[1]), page, program: page.replace(/\.md$/, '.ts'), code, blocks }
    })
}

/** Runs a tutorial's program and returns what each block printed, and how long it took. */
export function run({ program, blocks }: Tutorial): { readonly printed: readonly string[]; readonly seconds: number } {
  const marked = program.replace(/\.ts$/, '.marked.ts')
  const mark = '———'
  writeFileSync(marked, blocks.map(({ code }) => `${code}\nconsole.log('${mark}')\n`).join('\n'))
  try {
    const began = performance.now()
    const { stdout, stderr, status } = spawnSync(process.execPath, [marked], { encoding: 'utf8' })
    if (status !== 0) throw new Error(`${marked} ended with ${status}:\n${stdout.slice(-2000)}${stderr}`)
    return { printed: stdout.split(`${mark}\n`).slice(0, -1), seconds: (performance.now() - began) / 1000 }
  } finally {
    rmSync(marked)
  }
}

/** Whether a block printed what its page says. */
export function isAsWritten(printed: string, block: Block): boolean {
  if (block.varies === 'text') return printed.trim() !== ''
  const shape = block.varies === 'numbers' ? withoutNumbers : normal
  return shape(printed) === shape(block.printed)
}

function normal(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim()
}

function withoutNumbers(text: string): string {
  return normal(text.replaceAll(/[█▇▆▅▄▃▂▁░▒▓]+/g, '').replaceAll(/[-−]?[\d·][\d.,·]*(e-?\d+)?/g, '#'))
}

function writePrinted({ page, blocks }: Tutorial, printed: readonly string[]): void {
  let text = readFileSync(page, 'utf8')
  for (const [i, { code, varies }] of blocks.entries()) {
    const at = text.indexOf(`\`\`\`ts\n${code}\`\`\`\n`) + code.length + 10
    const old = /^\n(?:<!-- .* -->\n)?```text\n[\s\S]*?```\n/.exec(text.slice(at))?.[0] ?? ''
    const comment = varies === 'nothing' ? '' : `<!-- ${varies} ${varies === 'text' ? 'varies' : 'vary'} -->\n`
    const lines = (printed[i] ?? '').replace(/[ \t]+$/gm, '')
    const block = lines.trim() === '' ? '' : `\n${comment}\`\`\`text\n${lines}\`\`\`\n`
    text = text.slice(0, at) + block + text.slice(at + old.length)
  }
  writeFileSync(page, text)
}

if (import.meta.main) {
  const printing = process.argv.slice(2).filter((argument) => argument !== '--print')
  for (const tutorial of tutorials()) {
    writeFileSync(tutorial.program, tutorial.code)
    if (!printing.includes(String(tutorial.number))) continue
    const { printed, seconds } = run(tutorial)
    writePrinted(tutorial, printed)
    console.log(`${tutorial.program}: ${seconds.toFixed(1)} s`)
  }
}
