/** The diagnosis as a text for people: what there is, which devices work, how fast they are, what to do. */
import type { Diagnosis, Findings, Machine } from './diagnosis.ts'

export function diagnosisText(found: Omit<Diagnosis, 'toString'>): string {
  const { machine } = found
  const place = machine.platform === null ? '' : `, ${machine.platform}`
  const parts = [
    `Descent ${found.descent}, ${machine.engine}${place}`,
    table(machineRows(found)),
    table(deviceRows(found)),
    speedText(found),
    found.advice.length > 0 ? found.advice.map((line) => `→ ${line}`).join('\n') : '→ Nothing is missing.',
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

function machineRows({ machine, koffi, webAssembly }: Findings): string[][] {
  const { cores, features, caches } = machine
  const rows = [['processor', `${machine.processor ?? 'unknown'}, ${coresText(cores)}`]]
  if (features) {
    const { avx2, fma, avx512 } = features
    rows.push(['instructions', [has('AVX2', avx2), has('FMA', fma), has('AVX-512', avx512)].join(', ')])
  }
  if (caches) rows.push(['caches', cacheText(caches)])
  rows.push(['koffi', koffi ?? 'not loaded'])
  const { relaxedSimd, sharedMemory } = webAssembly
  rows.push(['WebAssembly', [has('shared memory', sharedMemory), has('relaxed SIMD', relaxedSimd)].join(', ')])
  return rows
}

function has(what: string, there: boolean): string {
  return there ? what : `no ${what}`
}

function coresText({ present, usable }: Machine['cores']): string {
  const all = present === 1 ? '1 core' : `${present} cores`
  return usable < present ? `${all}, ${usable} for this process` : all
}

function cacheText(caches: NonNullable<Machine['caches']>): string {
  const { l1d, l2, l3 } = caches
  const known = [
    ['L1d', l1d],
    ['L2', l2],
    ['L3', l3],
  ] as const
  return known.flatMap(([name, bytes]) => (bytes === null ? [] : [`${name} ${bytesText(bytes)}`])).join(', ')
}

function bytesText(bytes: number): string {
  return bytes >= 2 ** 20 ? `${bytes / 2 ** 20} MiB` : `${bytes / 2 ** 10} KiB`
}

function deviceRows({ devices, chosen }: Findings): string[][] {
  return devices.map(({ name, refusal, details }) => {
    const choice = 'name' in chosen && chosen.name === name ? ` – chosen: ${chosen.because}` : ''
    return [name, refusal === null ? `works: ${details.join(', ')}${choice}` : 'does not work here']
  })
}

function speedText({ limits, products }: Findings): string {
  if (limits.length === 0 && products.length === 0) return ''
  const threads = [...new Set([...limits, ...products].map((one) => one.threads))].sort((a, b) => a - b)
  const giga = (value: number | undefined): string => (value === undefined ? '–' : (value / 1e9).toFixed(0))
  const by = limits[0]?.by === 'wasm' ? ' in WebAssembly' : ''
  const rows = [
    ['', ...threads.map((count) => (count === 1 ? '1 thread' : `${count} threads`))],
    [
      `most multiply-adds${by}, GFLOP/s`,
      ...threads.map((count) => giga(limits.find((one) => one.threads === count)?.flops)),
    ],
    [
      `memory (a = b + s·c)${by}, GB/s`,
      ...threads.map((count) => giga(limits.find((one) => one.threads === count)?.bytes)),
    ],
    ...[...new Set(products.map(({ device }) => device))].map((device) => [
      `matrix product on ${device}, GFLOP/s`,
      ...threads.map((count) => {
        const product = products.find((one) => one.device === device && one.threads === count)
        if (!product) return '–'
        const { flops, share } = product
        return share === null ? giga(flops) : `${giga(flops)} (${(100 * share).toFixed(0)} %)`
      }),
    ]),
  ]
  return table(rows)
}

/** Columns next to one another, each as wide as its widest text. */
function table(rows: readonly (readonly string[])[]): string {
  const width = (column: number): number => Math.max(...rows.map((row) => row[column]?.length ?? 0))
  const line = (row: readonly string[]): string => row.map((text, i) => text.padEnd(width(i))).join('   ')
  return rows.map((row) => `  ${line(row)}`.trimEnd()).join('\n')
}
