/**
 * Three ways down the same slope: gradient descent on all irises at once, on one at a time, and on 15 at a time. They
 * differ in one setting, the batch size.
 *
 *   node examples/gradient-descent/main.ts
 */
import { readIrises } from '../iris/iris.ts'
import { plot } from './curves.ts'
import { type Descent, descend } from './descend.ts'

const epochs = 100
const lr = 0.1

async function main(): Promise<void> {
  const irises = readIrises()
  const count = irises.y.size
  console.log(`A network 4 → 8 → 3 learns to tell ${count} irises apart: ${epochs} epochs, learning rate ${lr}\n`)
  const descents: Descent[] = []
  for (const [name, batchSize] of [
    ['full batch', count],
    ['mini-batch', 15],
    ['stochastic', 1],
  ] as const) {
    descents.push(await descend(name, irises, { batchSize, epochs, lr }))
  }
  console.log(table(descents).join('\n'))
  const marks = ['f', 'm', 's']
  console.log('\nLoss, logarithmic, against epochs: f full batch, m mini-batch, s stochastic\n')
  const curves = descents.map(({ losses }, i) => ({ mark: marks[i] as string, values: losses }))
  console.log(plot(curves, 64, 17).join('\n'))
  console.log(`        └${'─'.repeat(64)}\n         0${String(epochs).padStart(63)}`)
  console.log(
    '\nA full batch takes one sure step an epoch; single examples take many cheap ones, which jump about.' +
      '\nMini-batches lie between, and fill the machine: that is why they are what everybody uses.',
  )
}

function table(descents: readonly Descent[]): string[] {
  const shown = [0, 1, 3, 10, 30, epochs]
  const head = ['', 'batch', ...shown.map((epoch) => `epoch ${epoch}`), 'right', 'steps', 'seconds']
  const rows = descents.map(({ name, batchSize, losses, accuracy, steps, seconds }) => [
    name,
    String(batchSize),
    ...shown.map((epoch) => (losses[epoch] as number).toFixed(3)),
    `${(accuracy * 100).toFixed(1)} %`,
    steps.toLocaleString('en'),
    seconds.toFixed(2),
  ])
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => (row[i] as string).length)))
  return [head, ...rows].map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] as number) : cell.padStart(widths[i] as number))).join('  '),
  )
}

await main()
