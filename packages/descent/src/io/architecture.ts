/**
 * A network's architecture as JSON: of every module its class, by a registered name, and what its constructor was given
 * (`Module.record`). In: a module; out: plain values that JSON can hold, and the tensors among the arguments; and back.
 *
 *   { "class": "Linear", "arguments": [4, 8, { "bias": false }] }
 *
 * Arguments are plain values, arrays and objects of them, and what they are not, each an object with one of these keys:
 * `class` a module, `same` one that stands before (by number, from 0, in the order of the text), `function` one by its
 * registered name, `tensor` one by its name among the tensors, `number` what JSON has no text for, `undefined`,
 * `object` one whose own keys could be taken for these.
 */
import { FormatError } from '../errors.ts'
import { type AnyModule, Module } from '../nn/module.ts'
import { Generator } from '../random.ts'
import { Tensor } from '../tensor.ts'

/** Classes of modules and functions by the names that stand in the file. */
export type Registry = Readonly<Record<string, unknown>>

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

const markers = ['class', 'same', 'function', 'tensor', 'number', 'undefined', 'object']

export interface Described {
  readonly architecture: Json
  readonly tensors: Readonly<Record<string, Tensor>>
}

/** Throws TypeError for a module or an argument that cannot be written down. */
export function describe(net: AnyModule, registry: Registry): Described {
  const names = new Map(Object.entries(registry).map(([name, value]) => [value, name]))
  const numbers = new Map<AnyModule, number>()
  const tensors: Record<string, Tensor> = {}

  const ofModule = (module: AnyModule): Json => {
    const known = numbers.get(module)
    if (known !== undefined) return { same: known }
    numbers.set(module, numbers.size)
    const name = nameOf(module.constructor, 'class', module.constructor.name)
    const args = constructorArguments(module, name).map((arg, i) => of(arg, `argument ${i} of ${name}`))
    while (args.length > 0 && isUndefined(args.at(-1) as Json)) args.pop()
    return args.length > 0 ? { class: name, arguments: args } : { class: name }
  }

  const nameOf = (value: unknown, kind: string, label: string): string => {
    const name = names.get(value)
    if (name !== undefined) return name
    throw new TypeError(
      `saveModel: the ${kind} ${label} is not registered, so that it could not be found again. Give it a name: { classes: { ${label || 'Name'} } }, here and for loadModel.`,
    )
  }

  const of = (value: unknown, where: string): Json => {
    if (value instanceof Module) return ofModule(value as AnyModule)
    if (value instanceof Tensor) {
      const name = `__settings__.${Object.keys(tensors).length}`
      tensors[name] = value
      return { tensor: name }
    }
    // First values are those of the file, and what is drawn later comes from the default generator.
    if (value === undefined || value instanceof Generator) return { undefined: true }
    if (value === null || typeof value === 'boolean' || typeof value === 'string') return value
    if (typeof value === 'number')
      return Number.isFinite(value) && !Object.is(value, -0)
        ? value
        : { number: Object.is(value, -0) ? '-0' : String(value) }
    if (typeof value === 'function') return { function: nameOf(value, 'function', value.name) }
    if (Array.isArray(value)) return value.map((item) => of(item, where))
    if (typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype) {
      const fields = Object.entries(value)
        .map(([key, item]) => [key, of(item, where)] as const)
        .filter(([, item]) => !isUndefined(item))
      const object = Object.fromEntries(fields)
      return fields.some(([key]) => markers.includes(key)) ? { object } : object
    }
    throw new TypeError(`saveModel: ${where} cannot be written down: ${String(value)}.`)
  }

  return { architecture: ofModule(net), tensors }
}

/**
 * What made the module, in the order of its class's constructor. A class without a constructor of its own hands all on
 * to the one above; JavaScript tells whether there is one by its text alone, which minifiers keep.
 */
function constructorArguments(module: AnyModule, name: string): readonly unknown[] {
  let owner: unknown = module.constructor
  while (typeof owner === 'function' && owner !== Module && constructorText(owner) === null)
    owner = Object.getPrototypeOf(owner)
  if (owner === Module || (typeof owner === 'function' && /^constructor\s*\(\s*\)/.test(constructorText(owner) ?? '')))
    return []
  const made = module.construction
  if (made && made.owner === owner) return made.args
  throw new TypeError(
    `saveModel: ${name} does not note what its constructor is given. Call this.record(${name}, [each argument]) in it.`,
  )
}

function constructorText(owner: { toString(): string }): string | null {
  return /(?<![.\w$#])constructor\s*\([\s\S]*/.exec(Function.prototype.toString.call(owner))?.[0] ?? null
}

function isUndefined(value: Json): boolean {
  return isObject(value) && value.undefined === true
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Makes the modules of an architecture. Throws FormatError where it is not one, or names what is not registered. */
export function construct(
  architecture: unknown,
  registry: Registry,
  tensors: Readonly<Record<string, Tensor>>,
): AnyModule {
  const fail = (what: string): never => {
    throw new FormatError(`the architecture ${what}.`)
  }
  const made: (AnyModule | null)[] = []
  const registered = (name: unknown): unknown =>
    typeof name === 'string' && Object.hasOwn(registry, name) ? registry[name] : null

  const moduleOf = (node: Readonly<Record<string, unknown>>): AnyModule => {
    const { class: name, arguments: args = [] } = node
    const known = registered(name)
    if (typeof known !== 'function' || !(known.prototype instanceof Module)) {
      return fail(`has a module ${JSON.stringify(name)}, which is not known. Give its class: { classes: { ${name} } }`)
    }
    if (!Array.isArray(args)) return fail(`has arguments of ${name} that are no list`)
    const number = made.push(null) - 1
    const values = args.map(argument)
    const module = new (known as new (...args: unknown[]) => AnyModule)(...values)
    made[number] = module
    return module
  }

  const argument = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(argument)
    if (!isObject(value)) return value
    if ('class' in value) return moduleOf(value)
    if ('same' in value)
      return made[Number(value.same)] ?? fail(`has no module ${JSON.stringify(value.same)} before it`)
    if ('function' in value) {
      const known = registered(value.function)
      return typeof known === 'function'
        ? known
        : fail(`has a function ${JSON.stringify(value.function)}, which is not known. Give it in { classes }`)
    }
    if ('tensor' in value) {
      const name = String(value.tensor)
      return Object.hasOwn(tensors, name) ? tensors[name] : fail(`needs a tensor '${name}', which is not in the file`)
    }
    if ('number' in value) return Number(value.number)
    if ('undefined' in value) return undefined
    const fields = 'object' in value ? value.object : value
    if (!isObject(fields)) return fail('has an object that is none')
    return Object.fromEntries(Object.entries(fields).map(([key, item]) => [key, argument(item)]))
  }

  return isObject(architecture) && 'class' in architecture ? moduleOf(architecture) : fail('is no module')
}
