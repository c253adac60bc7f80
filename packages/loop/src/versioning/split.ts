/**
 * Who is trained on, who validates, who tests. Dealt by a hash of each example's id (or its group) and a seed: the same on any
 * machine, in any order of arrival.
 *
 * What holds: a frozen test set stays as it is, and nothing joins it; what an import named (`--split`) is obeyed; a group is
 * never torn apart; with `time`, nothing in the test set is older than anything trained on. What cannot be placed without
 * breaking this is left out, with the reason.
 */
import { hash } from 'node:crypto'

export type Split = 'train' | 'validation' | 'test'

export interface SplitItem {
  readonly id: string
  /** The class, where splits are to keep the classes' shares; else null. */
  readonly stratum: string | null
  readonly group: string | null
  /** A date or a number, as text. */
  readonly time: string | null
  /** What its import named. */
  readonly given: Split | null
  readonly frozen: boolean
}

export interface SplitSettings {
  /** Shares of all examples, from 0 to below 1. */
  readonly validation: number
  readonly test: number
  readonly by: 'hash' | 'time'
  readonly seed: number
}

/** Why an example is in no split. */
export type LeftOut = 'group is in the frozen test set' | 'came for the test set after it was frozen' | 'has no time'

export type Placed = { readonly split: Split } | { readonly split: null; readonly reason: LeftOut }

/** Deals the items: one answer for each, in their order. */
export function deal(items: readonly SplitItem[], settings: SplitSettings): Placed[] {
  const frozen = items.some((item) => item.frozen)
  const testGroups = new Set(items.filter((item) => item.frozen && item.group !== null).map((item) => item.group))
  const namedTest = items.some((item) => item.given === 'test')
  const testShare = frozen || namedTest ? 0 : settings.test
  const validationShare = validationOf(
    settings,
    testShare,
    items.some((item) => item.given === 'validation'),
  )

  const placed: (Placed | undefined)[] = items.map((item) => {
    if (item.frozen) return { split: 'test' }
    if (item.group !== null && testGroups.has(item.group)) return out('group is in the frozen test set')
    if (item.given === 'test') return frozen ? out('came for the test set after it was frozen') : { split: 'test' }
    if (item.given === 'validation') return { split: 'validation' }
    if (settings.by === 'time' && item.time === null) return out('has no time')
    return undefined
  })
  keepGroupsWhole(items, placed)

  const open = items.flatMap((item, index) => (placed[index] ? [] : [{ item, index }]))
  const ranked = settings.by === 'time' ? byTime(open) : byHash(open, settings.seed)
  for (const { index, rank } of ranked) {
    placed[index] = { split: rank < testShare ? 'test' : rank < testShare + validationShare ? 'validation' : 'train' }
  }
  return placed as Placed[]
}

/** The share of the undealt examples that validates. */
function validationOf({ validation, test }: SplitSettings, testShare: number, named: boolean): number {
  if (named) return 0
  // Where the test set is given or frozen, what is left is the share 1 − test of the whole.
  return testShare === test ? validation : validation / (1 - test)
}

/** A group of which one example was placed by name goes with it. */
function keepGroupsWhole(items: readonly SplitItem[], placed: (Placed | undefined)[]): void {
  const order: readonly Split[] = ['test', 'validation']
  const ofGroup = new Map<string, Split>()
  for (const split of order) {
    items.forEach(({ group }, index) => {
      if (group !== null && placed[index]?.split === split && !ofGroup.has(group)) ofGroup.set(group, split)
    })
  }
  items.forEach(({ group }, index) => {
    const split = group === null ? undefined : ofGroup.get(group)
    if (split && placed[index]?.split !== null) placed[index] = { split }
  })
}

interface Open {
  readonly item: SplitItem
  readonly index: number
}

/** Each example's place within its stratum, from 0 to 1, in the order of the hashes; groups are dealt as one. */
function byHash(open: readonly Open[], seed: number): { index: number; rank: number }[] {
  const units = new Map<string, Open[]>()
  for (const one of open) {
    const key = one.item.group === null ? `example ${one.item.id}` : `group ${one.item.group}`
    const unit = units.get(key)
    if (unit) unit.push(one)
    else units.set(key, [one])
  }
  const strata = new Map<string | null, { unit: Open[]; order: string }[]>()
  for (const [key, unit] of units) {
    const stratum = mostCommon(unit.map(({ item }) => item.stratum))
    const list = strata.get(stratum) ?? []
    list.push({ unit, order: hash('sha256', `${seed} ${key}`, 'hex') })
    strata.set(stratum, list)
  }
  return [...strata.values()].flatMap((list) => {
    const size = list.reduce((sum, { unit }) => sum + unit.length, 0)
    let before = 0
    return list
      .sort((a, b) => (a.order < b.order ? -1 : 1))
      .flatMap(({ unit }) => {
        const rank = (before + unit.length / 2) / size
        before += unit.length
        return unit.map(({ index }) => ({ index, rank }))
      })
  })
}

/** Newest first; what happened at the same time stays together. */
function byTime(open: readonly Open[]): { index: number; rank: number }[] {
  const sorted = [...open].sort((a, b) => compareTimes(b.item.time as string, a.item.time as string))
  const ranks: { index: number; rank: number }[] = []
  for (let i = 0; i < sorted.length; ) {
    let end = i
    while (end < sorted.length && sorted[end]?.item.time === sorted[i]?.item.time) end++
    const rank = (i + (end - i) / 2) / sorted.length
    for (; i < end; i++) ranks.push({ index: (sorted[i] as Open).index, rank })
  }
  return ranks
}

/** Numbers as numbers, dates as dates, anything else as text. */
function compareTimes(a: string, b: string): number {
  const difference = Number(a) - Number(b)
  if (!Number.isNaN(difference)) return difference
  const dates = Date.parse(a) - Date.parse(b)
  return Number.isNaN(dates) ? (a < b ? -1 : a > b ? 1 : 0) : dates
}

function mostCommon(values: readonly (string | null)[]): string | null {
  const counts = new Map<string | null, number>()
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1)
  return [...counts].sort(([a, m], [b, n]) => n - m || String(a).localeCompare(String(b)))[0]?.[0] ?? null
}

function out(reason: LeftOut): Placed {
  return { split: null, reason }
}
