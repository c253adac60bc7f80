/**
 * Over-fitting: a network that has 203,530 weights learns 300 digits by heart; and what each remedy does about it.
 *
 *   node examples/overfitting/main.ts
 */
import { fewDigits } from './digits.ts'
import { type Outcome, remedies, table, trained } from './remedies.ts'

const sizes = { train: 300, validation: 1000, test: 5000 }
const epochs = 60

async function main(): Promise<void> {
  const began = performance.now()
  const digits = await fewDigits(sizes)
  console.log(
    `${sizes.train} digits to learn from, ${sizes.test.toLocaleString('en')} others to test with, a network 784 → 256 → 10, ${epochs} epochs\n`,
  )
  const outcomes: Outcome[] = []
  for (const remedy of remedies) {
    const outcome = await trained(remedy, digits, epochs)
    if (outcomes.length === 0) console.log(`Without a remedy the library says:\n${outcome.message}\n`)
    outcomes.push(outcome)
  }
  console.log(table(outcomes).join('\n'))
  console.log(`\nDone in ${((performance.now() - began) / 1000).toFixed(1)} s.`)
}

await main()
