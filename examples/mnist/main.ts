/**
 * Learns to read handwritten digits: trains a convolutional network on the 60,000 digits of MNIST, tests it on 10,000
 * others, shows what it confuses, saves it, and reads digits with it in a fresh process.
 *
 *   npm run digits
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { crossEntropy, device, fit, manualSeed, optim } from 'descent'
import { pixels, readDigits } from './files.ts'
import { digitNetwork, saveNetwork } from './network.ts'
import { canColour } from './picture.ts'
import { accuracyOf, confusionMatrix, predictions, worstMistakes } from './report.ts'

const settings = { channels: [16, 32], hidden: 128, ...pixels } as const
const rates = [2e-3, 1e-3, 3e-4]
const batchSize = 100
const seed = 1
const folder = 'runs/mnist'

async function main(): Promise<void> {
  const began = performance.now()
  const seconds = () => `${((performance.now() - began) / 1000).toFixed(1)} s`

  const [train, test] = await Promise.all([readDigits('train'), readDigits('t10k')])
  console.log(
    `${train.count.toLocaleString('en')} digits to learn from, ${test.count.toLocaleString('en')} to test with (${seconds()})`,
  )

  manualSeed(seed)
  const net = digitNetwork(settings)
  const weights = net.parameters().reduce((sum, p) => sum + p.size, 0)
  const [first, second] = settings.channels
  console.log(
    `Network: convolutions with ${first} and ${second} channels, ${settings.hidden} hidden neurons: ${weights.toLocaleString('en')} weights, device ${device()}`,
  )

  console.log(
    `Training: ${rates.length} epochs, batches of ${batchSize}, Adam (Ctrl-C stops early and keeps what is learned)`,
  )
  const optimizer = new optim.Adam(net.parameters(), { lr: rates[0] as number })
  await fit(net, {
    train: train.dataset,
    loss: crossEntropy,
    optimizer,
    epochs: rates.length,
    batchSize,
    seed,
    onEpoch: ({ epoch }) => {
      optimizer.lr = rates[epoch] ?? optimizer.lr
    },
  })

  net.eval()
  const found = predictions(net, test.dataset)
  const testAccuracy = accuracyOf(found)
  console.log(
    `\nTest: ${(testAccuracy * 100).toFixed(2)} % of the ${test.count.toLocaleString('en')} test digits are read right (${seconds()})\n`,
  )
  console.log(confusionMatrix(found))
  console.log('\nThe worst mistakes, those it was most certain of:\n')
  console.log(worstMistakes(found, test.bytes, 6, canColour(), process.stdout.columns ?? 80))

  await saveNetwork(folder, net, { ...settings, testAccuracy })
  console.log(
    `Saved to ${folder}: weights.safetensors and settings.json. A fresh process loads them and reads digits:\n`,
  )
  const predict = fileURLToPath(new URL('./predict.ts', import.meta.url))
  const { status } = spawnSync(process.execPath, [...process.execArgv, predict, folder], { stdio: 'inherit' })
  if (status !== 0) throw new Error(`The fresh process ended with code ${status}.`)
  console.log(`Done in ${seconds()}.`)
}

try {
  await main()
  process.exit(0)
} catch (error) {
  console.error(error instanceof Error && error.name === 'FormatError' ? error.message : error)
  process.exit(1)
}
