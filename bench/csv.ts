/** How fast CSV is read, in MB a second: `node bench/csv.ts [rows]`. */
import { mkdtemp, open, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { data } from 'descent'

const rows = Number(process.argv[2] ?? 400_000)

/** A row of each kind of file, of its number. */
const kinds: Readonly<Record<string, { readonly header: string; row(i: number): string }>> = {
  'twelve numbers of nine decimals': {
    header: Array.from({ length: 12 }, (_, c) => `c${c}`).join(','),
    row: (i) => Array.from({ length: 12 }, (_, c) => Math.abs(Math.sin(i * 12 + c)).toFixed(9)).join(','),
  },
  'short numbers, a category, a boolean': {
    header: 'id,a,b,c,kind,ok',
    row: (i) => `${i},${((i * 7919) % 10_000) / 8},${i % 1000},${-(i % 777) / 8},k${i % 7},${i % 2 ? 'true' : 'false'}`,
  },
  'the same and a text': {
    header: 'id,a,kind,text',
    row: (i) => `${i},${((i * 7919) % 10_000) / 8},k${i % 7},"row ${i}, which says ""${i % 97}"""`,
  },
}

const folder = await mkdtemp(join(tmpdir(), 'csv-'))
try {
  console.log('| rows of | MB | best of five, MB/s |\n|---|---|---|')
  for (const [name, { header, row }] of Object.entries(kinds)) {
    const path = join(folder, 'file.csv')
    const file = await open(path, 'w')
    await file.write(`${header}\n`)
    for (let i = 0; i < rows; i += 1000)
      await file.write(Array.from({ length: 1000 }, (_, j) => `${row(i + j)}\n`).join(''))
    await file.close()
    const megabytes = (await stat(path)).size / 1e6
    let best = Infinity
    for (let run = 0; run < 5; run++) {
      const began = performance.now()
      await data.readCsv(path)
      best = Math.min(best, performance.now() - began)
    }
    console.log(`| ${name} | ${megabytes.toFixed(0)} | ${((1000 * megabytes) / best).toFixed(0)} |`)
  }
} finally {
  await rm(folder, { recursive: true })
}
