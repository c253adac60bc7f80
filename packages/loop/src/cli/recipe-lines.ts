/** A recipe for a terminal: one line a part, each with its settings. */
import type { Recipe } from '../architecture/recipe.ts'
import { paint } from './terminal.ts'

export function recipeLines(recipe: Recipe): string[] {
  const { preprocess, network, loss, optimizer, schedule, augmentation, batchSize, epochs, earlyStopping, clipNorm } =
    recipe
  const parts: readonly (readonly [string, string])[] = [
    ['preprocess', partText(preprocess)],
    ['network', partText(network)],
    ['loss', partText(loss)],
    ['optimizer', partText(optimizer)],
    ['schedule', partText(schedule)],
    ['augmentation', augmentation.map(partText).join('; ') || 'none'],
    ['training', `${epochs} epochs in batches of ${batchSize}`],
    ...(earlyStopping
      ? [['early stopping', `after ${earlyStopping.patience} epochs without improvement`] as const]
      : []),
    ...(clipNorm === null ? [] : [['gradients', `clipped to norm ${clipNorm}`] as const]),
  ]
  const width = Math.max(...parts.map(([name]) => name.length))
  return parts.map(([name, text]) => `${paint('gray', name.padEnd(width))}  ${text}`)
}

/** `mlp: hidden 64 64, activation relu` */
export function partText({ type, ...settings }: { readonly type: string }): string {
  const entries = Object.entries(settings).map(([name, value]) => `${name} ${valueText(value)}`)
  return entries.length === 0 ? type : `${type}: ${entries.join(', ')}`
}

function valueText(value: unknown): string {
  if (Array.isArray(value)) return value.length === 0 ? 'none' : value.join(' ')
  return typeof value === 'number' ? String(Number(value.toPrecision(4))) : String(value).slice(0, 60)
}
