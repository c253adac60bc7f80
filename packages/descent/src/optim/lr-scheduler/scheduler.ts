/**
 * Learning-rate schedules. A schedule is a function of the number of its steps so far: it sets the groups' settings,
 * which an optimizer reads from tensors, so that a compiled training step goes on with its plan. Whether a step of the
 * schedule is an epoch or a batch is the caller's choice.
 */

/** What a schedule needs of an optimizer: groups with a learning rate, and perhaps a momentum to cycle. */
export interface Schedulable {
  readonly groups: readonly ScheduledGroup[]
}

/** Parameters with a learning rate of their own. */
export interface ScheduledGroup {
  lr: number
  momentum?: number
  betas?: readonly [number, number]
}

/** Plain JSON. */
export type SchedulerState = Record<string, unknown>

/** The rate that a group began with, and the one that a schedule set last. */
const begun = /* @__PURE__ */ new WeakMap<ScheduledGroup, { readonly first: number; set: number }>()

/**
 * The rate from which a new schedule starts: that of the group before any schedule changed it, so that schedules made
 * one after the other for SequentialLR share it; a rate set by hand since then is a new start.
 */
function firstRate(group: ScheduledGroup): number {
  const known = begun.get(group)
  if (known && Object.is(known.set, group.lr)) return known.first
  begun.set(group, { first: group.lr, set: group.lr })
  return group.lr
}

/** A schedule of learning rates: each `step` sets the next one in every group of the optimizer. */
export abstract class LRScheduler {
  /** The class's name, which minifiers would change: for states and messages. */
  protected abstract readonly kind: string
  readonly optimizer: Schedulable
  /** The rates that the groups began with. */
  readonly baseLrs: readonly number[]
  /** How many steps it has made. */
  lastEpoch = 0

  constructor(optimizer: Schedulable) {
    this.optimizer = optimizer
    this.baseLrs = optimizer.groups.map(firstRate)
  }

  /** The rate after `epoch` steps, of group `group`, which began with `base`. */
  protected abstract rate(epoch: number, base: number, group: number): number

  /** Other settings that it changes, after `epoch` steps. */
  protected setOthers(_epoch: number): void {}

  /** The rates that it has set last, one for each group. */
  get lastLr(): readonly number[] {
    return this.optimizer.groups.map((group) => group.lr)
  }

  /** Sets the rates of the next epoch or batch: to be called after each. */
  step(): void {
    this.apply(this.lastEpoch + 1)
    this.lastEpoch++
  }

  /** Sets all as after so many steps. */
  apply(epoch: number): void {
    const rates = this.baseLrs.map((base, i) => this.rate(epoch, base, i))
    setRates(this.optimizer, rates)
    this.setOthers(epoch)
  }

  /** How far it is, as plain JSON. Its settings are those of the constructor. */
  stateDict(): SchedulerState {
    return { schedule: this.kind, lastEpoch: this.lastEpoch, baseLrs: [...this.baseLrs], lastLr: [...this.lastLr] }
  }

  /** Goes on from a saved state, and gives the optimizer its rates. Throws RangeError for that of another schedule. */
  loadStateDict(state: SchedulerState): this {
    const read = this.requireState(state)
    ;(this as { baseLrs: readonly number[] }).baseLrs = read.baseLrs
    this.lastEpoch = read.lastEpoch
    this.setOthers(read.lastEpoch)
    setRates(this.optimizer, read.lastLr)
    return this
  }

  protected requireState(state: SchedulerState): { lastEpoch: number; baseLrs: number[]; lastLr: number[] } {
    const { schedule, lastEpoch, baseLrs, lastLr } = state
    const groups = this.optimizer.groups.length
    const fail = (what: string): never => {
      throw new RangeError(`${this.kind}.loadStateDict: ${what}.`)
    }
    if (schedule !== this.kind) return fail(`the state is of ${JSON.stringify(schedule)}`)
    if (!Number.isInteger(lastEpoch)) return fail(`lastEpoch is ${JSON.stringify(lastEpoch)}, no whole number`)
    for (const list of [baseLrs, lastLr]) {
      if (!isRates(list) || list.length !== groups)
        return fail(`the state has rates ${JSON.stringify(list)} for ${groups} ${groups === 1 ? 'group' : 'groups'}`)
    }
    return { lastEpoch: lastEpoch as number, baseLrs: baseLrs as number[], lastLr: lastLr as number[] }
  }
}

export function setRates({ groups }: Schedulable, rates: readonly number[]): void {
  for (const [i, group] of groups.entries()) {
    const rate = rates[i]
    // A group that was added later keeps its own rate.
    if (rate === undefined) continue
    const known = begun.get(group)
    begun.set(group, { first: known?.first ?? rate, set: rate })
    group.lr = rate
  }
}

/** One value for all groups, or one for each. Throws RangeError where there are more or fewer. */
export function forGroups<T extends number | ((epoch: number) => number)>(
  kind: string,
  name: string,
  value: T | readonly T[],
  groups: number,
): T[] {
  const list: T[] = typeof value === 'object' ? [...value] : Array.from({ length: groups }, () => value)
  if (list.length !== groups) throw new RangeError(`${kind}: ${name} has ${list.length} values for ${groups} groups.`)
  return list
}

/** Throws RangeError unless it is a whole number from `least`. */
export function requireWhole(kind: string, name: string, value: number, least: number): number {
  if (!Number.isInteger(value) || value < least)
    throw new RangeError(`${kind}: ${name} must be a whole number from ${least}, not ${value}.`)
  return value
}

function isRates(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((rate) => typeof rate === 'number')
}
