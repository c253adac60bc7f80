/** For tests: imports in processes that are killed, and what must be the same after it. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { openProject } from '../project/project.ts'
import { seeded } from '../random.ts'
import { holdings } from './test-import.ts'

const bin = fileURLToPath(new URL('../../bin/descent.mjs', import.meta.url))

/** Writes a CSV with a number, a word, a gap now and then, a target; some rows are there twice, some are bad. */
export async function writeRows(path: string, rows: number, seed = 1): Promise<void> {
  const random = seeded(seed)
  const file = await open(path, 'w')
  await file.write('x,y,word,k\n')
  let before = '0,0,none,a\n'
  for (let i = 0; i < rows; i += 1000) {
    let text = ''
    for (let j = i; j < Math.min(rows, i + 1000); j++) {
      const row = `${j},${j % 7 === 0 ? '' : random.below(1000)},w${random.below(50)},${random.below(2) ? 'a' : 'b'}\n`
      if (random.below(100) > 2) before = row
      text += random.below(100) === 0 ? `${j},bad\n` : before
    }
    await file.write(text)
  }
  await file.close()
}

/** An import in a process of its own. */
export function startImport(folder: string, args: readonly string[]): ChildProcess {
  return spawn(process.execPath, [bin, '-C', folder, 'import', ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
}

/** How the process ended, and all that it said. */
export async function ended(
  child: ChildProcess,
): Promise<{ code: number | null; signal: string | null; said: string }> {
  let said = ''
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
  return new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal, said })))
}

export interface Kept {
  /** A hash of all examples with labels and splits. */
  readonly hash: string
  readonly examples: number
  /** Of the latest import. */
  readonly counts: readonly number[]
  readonly status: string | null
  readonly missing: unknown
}

/**
 * What the project keeps.
 * @throws where the counts of the import do not agree with what is there
 */
export async function kept(folder: string): Promise<Kept> {
  const project = await openProject(folder)
  try {
    const { db } = project.store
    const held = JSON.stringify(await holdings(project))
    const latest = await db.selectFrom('import').selectAll().orderBy('id', 'desc').limit(1).executeTakeFirst()
    const { n } = await db.selectFrom('example').select(db.fn.countAll<number>().as('n')).executeTakeFirstOrThrow()
    const { sum } = await db.selectFrom('import').select(db.fn.sum<number>('added').as('sum')).executeTakeFirstOrThrow()
    if (Number(n) !== Number(sum ?? 0)) throw new Error(`${n} examples are there, and ${sum} were counted`)
    const report = JSON.parse(latest?.report ?? '{}') as { columns?: unknown; missing?: unknown }
    return {
      hash: createHash('sha256').update(held).digest('hex'),
      examples: Number(n),
      counts: latest ? [latest.rows, latest.added, latest.duplicates, latest.bad] : [],
      status: latest?.status ?? null,
      missing: report.columns ?? null,
    }
  } finally {
    await project.close()
  }
}
