/**
 * What optimizers share. All that changes from step to step lives in tensors that exist before the first step, and a
 * step is tensor operations: so compile() makes it one kernel a parameter, and new settings never a new plan.
 *
 * A step of a group: `begin` counts and computes what the parameters have in common, as vectors with an element for
 * each; then `move` says what each parameter loses. A parameter without a gradient stays, and its count too.
 */
import { noGrad } from '../autograd.ts'
import { tensor, zeros } from '../create.ts'
import { TraceError } from '../errors.ts'
import { cat } from '../functions/movement.ts'
import { loadInto, type StateDict } from '../nn/state-dict.ts'
import type { Tensor } from '../tensor.ts'
import { activeTrace, guard } from '../trace.ts'
import { exactly, fromExact } from './exact.ts'
import { Group, type GroupSettings, type ParamGroup, type Tensors } from './group.ts'
import { type AnyParameters, named } from './named.ts'

export type { GroupSettings, ParamGroup } from './group.ts'

/** A group to be: its parameters, and settings where they are not the optimizer's. */
export type GroupOptions<S> = Partial<S> & { readonly parameters: AnyParameters }

/** Parameters, with names or without, or groups of them. */
export type ParametersOf<S> = AnyParameters | Iterable<GroupOptions<S>>

export type Begun<Shared extends string> = {
  /** The counters after this step. */
  readonly counters: Tensors
  /** What `move` needs, an element for each parameter. */
  readonly shared: Readonly<Record<Shared, Tensor>>
}

/**
 * The base of all optimizers. Parameters are given as a list, or in groups with settings of their own.
 *
 * Gradients add up until `zeroGrad()`, over compiled functions too: so a batch too large for the memory is several
 * calls of `backward()`, of losses divided by their number, and one step.
 *
 * S: its settings. Slot: what it keeps for each parameter. Shared: what the parameters of a step have in common.
 *
 * @example
 * ```ts
 * import { compile, mseLoss, nn, optim, randn, type Tensor } from 'descent'
 * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 1))
 * const [first, , last] = net.layers
 * const groups = [{ parameters: first.parameters() }, { parameters: last.parameters(), lr: 1e-2 }]
 * const optimizer = new optim.AdamW(groups, { lr: 1e-3 })
 * console.log(optimizer.groups.map((group) => group.lr)) // → [ 0.001, 0.01 ]
 *
 * const parts = 4
 * const add = compile((x: Tensor, y: Tensor) => {
 *   mseLoss(net.forward(x), y).div(parts).backward()
 * })
 * const take = compile(() => {
 *   optimizer.step()
 *   optimizer.zeroGrad()
 * })
 * for (let part = 0; part < parts; part++) add(randn([16, 4]), randn([16, 1]))
 * take()
 * ```
 */
export abstract class Optimizer<
  S extends GroupSettings = GroupSettings,
  Slot extends string = string,
  Shared extends string = string,
> {
  readonly #defaults: S
  readonly #groups: Group<S>[] = []
  readonly #groupCount = () => this.#groups.length

  constructor(parameters: ParametersOf<S>, defaults: S) {
    this.#defaults = defaults
    const items = [...parameters]
    if (items.length === 0) throw new RangeError('An optimizer needs at least one parameter.')
    if (items.every(isGroup)) for (const group of items as GroupOptions<S>[]) this.addParamGroup(group)
    else this.addParamGroup({ parameters: items as unknown as AnyParameters } as GroupOptions<S>)
  }

  /**
   * Adds parameters with settings of their own. Throws RangeError for parameters that are results of operations or
   * belong to a group already, and for settings that cannot be.
   */
  addParamGroup(options: GroupOptions<S>): void {
    if (activeTrace()) throw new TraceError('Make optimizers and their groups outside of compiled functions.')
    const { parameters: given, ...changes } = options
    const entries = named(given)
    if (entries.length === 0) throw new RangeError('An optimizer needs at least one parameter in every group.')
    const own = new Set(this.parameters)
    for (const [name, p] of entries) {
      if (p.derivation !== null)
        throw new RangeError(`${name} is the result of an operation: optimizers change leaves.`)
      if (own.has(p)) throw new RangeError(`${name} is in another group already.`)
      this.checkParameter(name, p)
    }
    const kept = (settings: S) => {
      for (const key of ['lr', 'weightDecay'] as const) requireFrom0(key, settings[key])
      this.check(settings)
      return { slots: this.slots(settings), counters: this.counters(settings) }
    }
    const settings = { ...this.#defaults, ...(changes as unknown as Partial<S>) }
    const parameters = entries.map(([, p]) => p)
    this.#groups.push(new Group(parameters, settings, { kept }))
  }

  /** The groups; their settings can be read and set: `optimizer.groups[1].lr = 1e-4`. */
  get groups(): readonly ParamGroup<S>[] {
    return this.#groups.map((group) => group.face)
  }

  /** The parameters of all groups. */
  get parameters(): readonly Tensor[] {
    return this.#groups.flatMap((group) => group.parameters)
  }

  /**
   * The learning rate, of the first group where there are several. Setting it takes effect at the next step, compiled
   * or not; with several groups it throws RangeError: set that of a group.
   */
  get lr(): number {
    return (this.#groups[0] as Group<S>).settings.lr
  }

  set lr(lr: number) {
    const [group, ...others] = this.groups
    if (others.length > 0) {
      throw new RangeError(`There are ${this.#groups.length} groups: set optimizer.groups[i].lr = ${lr} of one.`)
    }
    ;(group as ParamGroup).lr = lr
  }

  /** Throws RangeError for settings that cannot be. */
  protected check(_settings: S): void {}

  /** Throws where a parameter is not one for this optimizer. */
  protected checkParameter(_name: string, _parameter: Tensor): void {}

  /** The names and first values of what is kept for each parameter, in its shape. */
  protected abstract slots(settings: S): Readonly<Record<string, number>>

  /** The names and first values of numbers kept for each parameter. */
  protected counters(_settings: S): Readonly<Record<string, number>> {
    return {}
  }

  protected begin(_group: Group<S>): Begun<Shared> {
    return { counters: {}, shared: {} as Readonly<Record<Shared, Tensor>> }
  }

  /** What a parameter loses by this step; keeps in `slots` what later steps need. */
  protected abstract move(
    gradient: Tensor,
    slots: Readonly<Record<Slot, Tensor>>,
    group: Group<S>,
    shared: Readonly<Record<Shared, Tensor>>,
  ): Tensor

  /** Whether weight decay shrinks the parameters instead of entering the gradient. */
  protected decoupled(_group: Group<S>): boolean {
    return false
  }

  /** Moves every parameter that has a gradient. */
  step(): void {
    guard(this.#groupCount)
    noGrad(() => {
      for (const group of this.#groups) this.#stepGroup(group)
    })
  }

  #stepGroup(group: Group<S>): void {
    const gradients = group.parameters.map((p) => p.grad)
    const moving = gradients.map((gradient) => gradient !== null)
    if (!moving.includes(true)) return
    const { counters, shared } = this.begin(group)
    const all = moving.includes(false) ? null : true
    for (const [name, value] of Object.entries(counters)) {
      const counter = group.counters[name] as Tensor
      counter.copy_(all ? value : tensor(moving, { device: counter.device }).where(value, counter))
    }
    const decay = group.has('weightDecay')
    const decoupled = decay && this.decoupled(group)
    for (const [i, p] of group.parameters.entries()) {
      const given = gradients[i]
      if (!given) continue
      const climbing = group.fixed('maximize') ? given.neg() : given
      const gradient =
        decay && !decoupled ? climbing.add(p.mul(group.scalar('weightDecay', (s) => s.weightDecay))) : climbing
      const slots = mapValues(group.slots as Record<Slot, readonly Tensor[]>, (list) => list[i] as Tensor)
      const elements = mapValues(shared, (vector) => vector.slice(i))
      const kept = decoupled ? p.mul(group.scalar('shrink', (s) => 1 - s.lr * s.weightDecay)) : p
      p.copy_(kept.sub(this.move(gradient, slots, group, elements)))
    }
  }

  /**
   * Forgets the gradients of all parameters; with `setToNone: false` they become zeros instead, in place.
   */
  zeroGrad(options: { readonly setToNone?: boolean } = {}): void {
    for (const p of this.parameters) {
      if (options.setToNone !== false) p.grad = null
      else if (p.grad?.isTraced) p.grad = p.grad.zerosLike()
      else p.grad?.zero_()
    }
  }

  /**
   * Settings, counters and slots by name, for safetensors: `exp_avg.2` belongs to parameter 2, counted over all
   * groups; `step` has an element for each parameter; numbers among the settings are kept exactly, as sums of three
   * f32 (last extent), a row for each group. Slots share their values with the optimizer.
   */
  stateDict(): StateDict {
    return Object.fromEntries([
      ...this.#settingValues().map(([name, values]) => [name, exactly(values)] as const),
      ...this.#counterNames().map((name) => [name, cat(this.#groups.map((g) => this.#counter(g, name)))] as const),
      ...Array.from(this.#slots(), ([name, slot]) => [name, slot.detach()] as const),
    ])
  }

  /** Takes over a state dict. Throws StateDictError, before anything is changed, where it does not fit. */
  loadStateDict(state: StateDict): this {
    const settings = this.#settingValues().map(([name, values]) => [name, exactly(values)] as const)
    const counters = this.#counterNames().map((name) => [name, zeros([this.parameters.length])] as const)
    noGrad(() => loadInto(new Map([...settings, ...counters, ...this.#slots()]), state, true))
    for (const [name, values] of counters) {
      const parts = values.split(this.#groups.map((group) => group.parameters.length))
      for (const [i, group] of this.#groups.entries()) group.counters[name]?.copy_((parts[i] as Tensor).data())
    }
    const read = settings.map(([name, values]) => [name, fromExact(values)] as const)
    for (const [i, group] of this.#groups.entries()) {
      const changes = read.map(([name, rows]) => {
        const key = camelCase(name)
        const row = rows[i] as number[]
        return [key, Array.isArray(group.settings[key as keyof S]) ? row : row[0]] as const
      })
      group.change(Object.fromEntries(changes) as unknown as Partial<S>)
    }
    return this
  }

  /** The settings that are numbers, by their names in the state dict, a row for each group. */
  #settingValues(): [string, number[][]][] {
    return Object.keys(this.#defaults).flatMap((key): [string, number[][]][] => {
      const rows = this.#groups.map((group) => [group.settings[key as keyof S]].flat() as unknown[])
      return rows.every(isNumbers) ? [[snakeCase(key), rows]] : []
    })
  }

  #counterNames(): string[] {
    return [...new Set(this.#groups.flatMap((group) => Object.keys(group.counters)))]
  }

  #counter(group: Group<S>, name: string): Tensor {
    return group.counters[name] ?? zeros([group.parameters.length])
  }

  *#slots(): Generator<[string, Tensor]> {
    let first = 0
    for (const group of this.#groups) {
      for (const [name, list] of Object.entries(group.slots)) {
        for (const [i, slot] of list.entries()) yield [`${name}.${first + i}`, slot]
      }
      first += group.parameters.length
    }
  }
}

function isGroup(item: unknown): boolean {
  return typeof item === 'object' && item !== null && 'parameters' in item
}

function isNumbers(values: readonly unknown[]): values is number[] {
  return values.every((value) => typeof value === 'number')
}

/** Throws RangeError for a setting below 0 and for NaN. */
export function requireFrom0(name: string, value: number): void {
  if (!(value >= 0))
    throw new RangeError(`${name === 'lr' ? 'The learning rate' : name} must be 0 or more, not ${value}.`)
}

/** Throws RangeError for shares outside of [0, 1). */
export function requireShares(name: string, values: readonly number[]): void {
  if (!values.every((value) => value >= 0 && value < 1)) throw new RangeError(`${name} [${values}] must be in [0, 1).`)
}

function mapValues<K extends string, T, U>(record: Readonly<Record<K, T>>, fn: (value: T) => U): Record<K, U> {
  return Object.fromEntries(Object.entries<T>(record).map(([name, value]) => [name, fn(value)])) as Record<K, U>
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

function camelCase(name: string): string {
  return name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
}
