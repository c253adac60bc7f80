/** The network, and the folder in which it is kept: weights in safetensors, settings in JSON. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FormatError, loadSafetensors, nn, saveSafetensors } from 'descent'

export interface Settings {
  /** Channels of the two convolutions. */
  readonly channels: readonly [number, number]
  /** Width of the hidden layer. */
  readonly hidden: number
  /** How pixels were normalised. */
  readonly mean: number
  readonly std: number
  readonly testAccuracy: number
}

/** Two convolutions, each with a max pool, then two dense layers: [N, 1, 28, 28] → [N, 10]. */
export function digitNetwork({
  channels: [first, second],
  hidden,
}: Pick<Settings, 'channels' | 'hidden'>): nn.Sequential {
  return new nn.Sequential(
    new nn.Conv2d(1, first, 3),
    new nn.MaxPool2d(2),
    new nn.ReLU(),
    new nn.Conv2d(first, second, 4),
    new nn.MaxPool2d(2),
    new nn.ReLU(),
    new nn.Flatten(),
    new nn.Linear(second * 25, hidden),
    new nn.ReLU(),
    new nn.Linear(hidden, 10),
  )
}

export async function saveNetwork(folder: string, net: nn.Sequential, settings: Settings): Promise<void> {
  await mkdir(folder, { recursive: true })
  await saveSafetensors(join(folder, 'weights.safetensors'), net.stateDict())
  await writeFile(join(folder, 'settings.json'), `${JSON.stringify(settings, null, 2)}\n`)
}

/** Throws FormatError where the settings are not those that `saveNetwork` wrote. */
export async function loadNetwork(folder: string): Promise<{ net: nn.Sequential; settings: Settings }> {
  const settings = requireSettings(JSON.parse(await readFile(join(folder, 'settings.json'), 'utf8')))
  const net = digitNetwork(settings)
  net.loadStateDict(await loadSafetensors(join(folder, 'weights.safetensors')))
  return { net: net.eval(), settings }
}

function requireSettings(value: Partial<Settings>): Settings {
  const { channels, hidden, mean, std, testAccuracy } = value
  const numbers = [channels?.[0], channels?.[1], hidden, mean, std, testAccuracy]
  if (!numbers.every(Number.isFinite))
    throw new FormatError('settings.json does not hold the settings of a digit network.')
  return value as Settings
}
