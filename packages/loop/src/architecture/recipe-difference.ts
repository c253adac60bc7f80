/** What one recipe has otherwise than another, as `optimizer.lr 0.002`. */
import type { Recipe } from './recipe.ts'

/** The settings of `recipe` that are not those of `base`; name and epochs do not count. */
export function recipeDifference(base: Recipe, recipe: Recipe): string[] {
  const before = new Map(settings(base))
  return settings(recipe).flatMap(([path, value]) => (before.get(path) === value ? [] : [`${path} ${value}`]))
}

function settings(recipe: Recipe): [string, string][] {
  const { name: _, epochs: __, ...rest } = recipe
  return Object.entries(rest).flatMap(([name, value]) => leavesOf(name, value))
}

function leavesOf(path: string, value: unknown): [string, string][] {
  if (typeof value !== 'object' || value === null) return [[path, String(value)]]
  if (Array.isArray(value))
    return [[path, value.every((item) => typeof item === 'number') ? `[${value.join(', ')}]` : JSON.stringify(value)]]
  return Object.entries(value).flatMap(([name, item]) => leavesOf(`${path}.${name}`, item))
}
