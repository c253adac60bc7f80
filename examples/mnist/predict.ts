/**
 * Reads digits with a network that `main.ts` has trained and saved.
 *
 *   node examples/mnist/predict.ts [folder, runs/mnist without it]
 */
import { readDigits } from './files.ts'
import { loadNetwork } from './network.ts'
import { canColour, digitLines, gallery } from './picture.ts'
import { predictions } from './report.ts'

const SHOWN = 6

async function main(folder: string): Promise<void> {
  const { net, settings } = await loadNetwork(folder)
  const digits = await readDigits('t10k')
  const pictures = predictions(net, digits.dataset, SHOWN).map(({ number, truth, guess, certainty }) => ({
    lines: digitLines(digits.bytes.subarray(number * 784, (number + 1) * 784), canColour()),
    caption: `${guess} (${(certainty * 100).toFixed(1)} %)${guess === truth ? '' : `, it is ${truth}`}`,
  }))
  console.log(`Loaded a network of ${(settings.testAccuracy * 100).toFixed(2)} % from ${folder}. It reads:\n`)
  console.log(gallery(pictures, process.stdout.columns ?? 80))
}

try {
  await main(process.argv[2] ?? 'runs/mnist')
  process.exit(0)
} catch (error) {
  const known = error instanceof Error && (error.name === 'FormatError' || 'code' in error)
  console.error(known ? `${(error as Error).message} Train first: npm run digits` : error)
  process.exit(1)
}
