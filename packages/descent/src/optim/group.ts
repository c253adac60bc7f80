/**
 * One group of an optimizer's parameters, with settings of its own. What a step computes with is a tensor that follows
 * its setting: so a schedule changes values and never a plan. A setting that decides what is computed at all (amsgrad,
 * whether there is any weight decay) is read as a condition, whose change makes a new plan.
 */
import { full, zeros } from '../create.ts'
import { TraceError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { activeTrace, guard, outsideTrace } from '../trace.ts'

/** What every optimizer has. Subtypes add their own. */
export interface GroupSettings {
  /** The learning rate. */
  readonly lr: number
  readonly weightDecay: number
  /** Climb instead of descend. */
  readonly maximize: boolean
}

/** A group as the user sees it: its parameters, and its settings to read and to change. */
export type ParamGroup<S extends GroupSettings = GroupSettings> = { -readonly [K in keyof S]: S[K] } & {
  readonly parameters: readonly Tensor[]
}

export type Tensors = Readonly<Record<string, Tensor>>

/** What an optimizer keeps for a group: names and first values. */
export interface Kept {
  /** Of each parameter's shape. */
  readonly slots: Readonly<Record<string, number>>
  /** One number for each parameter, together a vector. */
  readonly counters: Readonly<Record<string, number>>
}

/** What an optimizer says about settings. */
export interface Rule<S> {
  /** What to keep; throws where settings cannot be. */
  kept(settings: S): Kept
}

export class Group<S extends GroupSettings = GroupSettings> {
  readonly parameters: readonly Tensor[]
  readonly face: ParamGroup<S>
  /** [n] by name, n the number of parameters. */
  readonly counters: Record<string, Tensor> = {}
  /** By name, one for each parameter. */
  readonly slots: Record<string, readonly Tensor[]> = {}
  #settings: S
  readonly #scalars = new Map<string, { readonly tensor: Tensor; readonly follow: () => void }>()
  readonly #conditions = new Map<string, () => unknown>()
  readonly #rule: Rule<S>

  constructor(parameters: readonly Tensor[], settings: S, rule: Rule<S>) {
    this.parameters = parameters
    this.#settings = settings
    this.#rule = rule
    this.#keep(rule.kept(settings))
    const face = { parameters }
    for (const key of Object.keys(settings) as (keyof S & string)[]) {
      const accessors = {
        enumerable: true,
        get: () => this.#settings[key],
        set: (value: S[typeof key]) => this.change({ [key]: value } as unknown as Partial<S>),
      }
      Object.defineProperty(face, key, accessors)
    }
    this.face = face as ParamGroup<S>
  }

  get settings(): S {
    return this.#settings
  }

  /** Other settings from the next step on, compiled or not. */
  change(changes: Partial<S>): void {
    if (activeTrace()) {
      throw new TraceError(
        `An optimizer's ${Object.keys(changes)} cannot be set inside a compiled function, which would do it once for all: set it outside.`,
      )
    }
    const settings = { ...this.#settings, ...changes }
    this.#keep(this.#rule.kept(settings))
    this.#settings = settings
    for (const { follow } of this.#scalars.values()) follow()
  }

  /** A number made of the settings, f32 [], which follows them. One name always means one formula. */
  scalar(name: string, of: (settings: S) => number): Tensor {
    const known = this.#scalars.get(name)
    if (known) return known.tensor
    const { device } = this.parameters[0] as Tensor
    const tensor = outsideTrace(() => full([], of(this.#settings), { device }))
    this.#scalars.set(name, { tensor, follow: () => tensor.fill_(of(this.#settings)) })
    return tensor
  }

  /** A setting that decides what a step computes. */
  fixed<K extends keyof S & string>(name: K): S[K] {
    return this.#condition(name, () => this.#settings[name])
  }

  /** Whether a number is other than 0. */
  has(name: keyof S & string): boolean {
    return this.#condition(`${name}?`, () => this.#settings[name] !== 0)
  }

  #condition<T>(name: string, read: () => T): T {
    const known = this.#conditions.get(name)
    if (!known) this.#conditions.set(name, read)
    return guard((known as (() => T) | undefined) ?? read)
  }

  #keep({ slots, counters }: Kept): void {
    const { device } = this.parameters[0] as Tensor
    for (const [name, value] of Object.entries(counters)) {
      this.counters[name] ??= full([this.parameters.length], value, { device })
    }
    for (const [name, value] of Object.entries(slots)) {
      this.slots[name] ??= this.parameters.map((p) =>
        value === 0 ? zeros(p.shape, { device: p.device }) : full(p.shape, value, { device: p.device }),
      )
    }
  }
}
