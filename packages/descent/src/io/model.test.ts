import assert from 'node:assert/strict'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import * as functions from '../nn/functional.ts'
import * as nn from '../nn/index.ts'
import type { AnyModule } from '../nn/module.ts'
import { defaultGenerator, manualSeed, rand } from '../random.ts'
import { Tensor } from '../tensor.ts'
import { construct, describe } from './architecture.ts'
import { loadModel, saveModel } from './model.ts'
import { loadModelWith } from './model-with.ts'
import { examples, x } from './module-examples.ts'
import { loadSafetensors, saveSafetensors } from './safetensors.ts'

let folder = ''
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'model-'))
})
after(() => rm(folder, { recursive: true }))

const kinds = Object.entries(nn).filter(
  ([, value]) => typeof value === 'function' && value.prototype instanceof nn.Module,
)

/** All tensors of an output, which may be a list or an object of them, as bits of numbers. */
function valuesOf(output: unknown): unknown {
  if (output instanceof Tensor) return [output.shape, [...output.data()]]
  if (Array.isArray(output)) return output.map(valuesOf)
  return Object.fromEntries(Object.entries(Object(output)).map(([name, value]) => [name, valuesOf(value)]))
}

for (const [name] of kinds) {
  test(`a saved ${name} computes the same when it is loaded`, async () => {
    const example = examples[name]
    assert.ok(
      example,
      `give an example of nn.${name} in the table of this test: with arguments other than its defaults`,
    )
    const net = example.make().eval()
    const path = join(folder, name)
    await saveModel(net, path)
    const loaded = await loadModel<AnyModule>(path)
    assert.equal(loaded.constructor, net.constructor)
    assert.deepEqual(valuesOf(loaded.stateDict()), valuesOf(net.stateDict()))
    // A list has no forward: it is what it holds.
    const run = (module: AnyModule) =>
      module instanceof nn.ModuleList ? module.length : valuesOf(module.forward(...(example.inputs as never[])))
    assert.deepEqual(run(loaded), run(net))
    const described = (module: AnyModule) => JSON.stringify(describe(module, { ...functions, ...nn }).architecture)
    assert.equal(described(loaded), described(net))
  })
}

class Residual extends nn.Module {
  readonly inner: nn.Linear
  readonly activation: (x: Tensor) => Tensor
  constructor(width: number, activation: (x: Tensor) => Tensor = half) {
    super()
    this.inner = new nn.Linear(width, width)
    this.activation = activation
    this.record(Residual, [width, activation])
  }
  override forward(y: Tensor): Tensor {
    return y.add(this.activation(this.inner.forward(y)))
  }
}
const half = (y: Tensor): Tensor => y.div(2)

/** Without a constructor, and with one that takes nothing. */
class Wider extends Residual {}
class Fixed extends nn.Sequential {
  constructor() {
    super(new Residual(6), new nn.Linear(6, 2))
  }
}

test('your own classes are saved by the names that you give them, minified or not', async () => {
  const shared = new Residual(6, (y) => y.relu())
  const classes = { Residual, Wider, Fixed, half, mine: shared.activation }
  const net = new nn.Sequential(shared, new Wider(6), shared, new Fixed())
  const path = join(folder, 'own')
  await saveModel(net, path, { classes })
  const { architecture } = JSON.parse(await readFile(join(path, 'model.json'), 'utf8'))
  assert.deepEqual(architecture, {
    class: 'Sequential',
    arguments: [
      { class: 'Residual', arguments: [6, { function: 'mine' }] },
      { class: 'Wider', arguments: [6, { function: 'half' }] },
      { same: 1 },
      { class: 'Fixed' },
    ],
  })
  const loaded = await loadModel<nn.Sequential>(path, { classes })
  assert.deepEqual(loaded.forward(x).toArray(), net.forward(x).toArray())
  assert.equal(loaded.layers[0], loaded.layers[2])
  assert.equal(loaded.training, false)
  // A minifier renames classes; the names in the file are those that were given.
  const [a, b] = [class extends Residual {}, class extends Residual {}]
  await saveModel(new a(6), path, { classes: { Renamed: a, half } })
  assert.ok((await loadModel(path, { classes: { Renamed: b, half } })) instanceof b)
})

test('arguments of every kind come back as they were', () => {
  class Any extends nn.Module<[], unknown> {
    readonly given: unknown
    constructor(given: unknown, ...more: readonly unknown[]) {
      super()
      this.given = [given, ...more]
      this.record(Any, [given, ...more])
    }
    override forward(): unknown {
      return this.given
    }
  }
  const given = [
    { a: [1, 'two', null, true, { b: -0 }], c: Number.NaN, d: Number.NEGATIVE_INFINITY, class: 'x', e: undefined },
    undefined,
    [new nn.Dropout(0.5)],
    new nn.Linear(1, 1),
    undefined,
  ] as const
  const net = new Any(...(given as unknown as [unknown]))
  const { architecture, tensors } = describe(net, { ...nn, Any })
  const again = construct(JSON.parse(JSON.stringify(architecture)), { ...nn, Any }, tensors) as Any
  const [first, second, third, fourth, ...rest] = again.given as [Record<string, unknown>, ...unknown[]]
  const { e: _, ...wanted }: Record<string, unknown> = given[0]
  assert.deepEqual(first, wanted)
  assert.ok(Object.is(((first.a as readonly unknown[])[4] as { b: number }).b, -0))
  assert.deepEqual([second, rest], [undefined, []])
  assert.ok((third as unknown[])[0] instanceof nn.Dropout && fourth instanceof nn.Linear)
  assert.throws(() => describe(new Any(new Map()), { Any }), { message: /argument 0 of Any cannot be written down/ })
})

test('what could not be loaded again is not saved', async () => {
  class Silent extends nn.Linear {
    constructor(width = 6) {
      super(width, 2)
    }
  }
  const path = join(folder, 'refused')
  await assert.rejects(saveModel(new Silent(), path), /the class Silent is not registered.*classes: \{ Silent \}/)
  await assert.rejects(
    saveModel(new Silent(), path, { classes: { Silent } }),
    /Silent does not note what its constructor is given\. Call this\.record\(Silent, \[each argument\]\)/,
  )
  await assert.rejects(
    saveModel(new Residual(2, (y) => y), path, { classes: { Residual } }),
    /function .* not registered/,
  )
  await assert.rejects(
    saveModel(new nn.ReLU(), path, { classes: { Linear: Silent } }),
    /Linear is a name of the library/,
  )
  await assert.rejects(readdir(path), { code: 'ENOENT' })
})

test('loading leaves the random numbers as they were, and nothing temporary stays', async () => {
  const path = join(folder, 'quiet')
  await saveModel(new nn.Linear(3, 3), path)
  assert.deepEqual((await readdir(path)).sort(), ['model.json', 'model.safetensors'])
  manualSeed(3)
  const wanted = rand([2]).toArray()
  manualSeed(3)
  await loadModel(path)
  assert.equal(defaultGenerator().draws.item(), 0)
  assert.deepEqual(rand([2]).toArray(), wanted)
})

test('a model is loaded from a folder, a file URL and a server, and without model.json', async () => {
  const path = join(folder, 'served')
  const net = new nn.Sequential(new nn.Linear(6, 2), new nn.Tanh())
  await saveModel(net, path)
  const wanted = net.forward(x).toArray()
  const server = createServer((request, response) => {
    readFile(join(folder, request.url ?? '')).then(
      (bytes) => response.end(bytes),
      () => response.writeHead(404).end(),
    )
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const root = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const { Linear, Sequential, Tanh } = nn
    for (const place of [path, `${path}/`, pathToFileURL(path), `${root}/served`, new URL(`${root}/served/`)]) {
      assert.deepEqual((await loadModel(place)).forward(x).toArray(), wanted)
      assert.deepEqual((await loadModelWith(place, { Linear, Sequential, Tanh })).forward(x).toArray(), wanted)
    }
    await assert.rejects(loadModel(`${root}/nothing`), /nothing\/model\.safetensors: the server answered 404/)
    await rm(join(path, 'model.json'))
    assert.deepEqual((await loadModel(path)).forward(x).toArray(), wanted)
    assert.deepEqual((await loadModel(`${root}/served`)).forward(x).toArray(), wanted)
  } finally {
    server.close()
  }
  await assert.rejects(loadModelWith(path, { Sequential: nn.Sequential }), {
    name: 'FormatError',
    message:
      /served: the architecture has a module "Linear", which is not known\. Give its class: \{ classes: \{ Linear \} \}/,
  })
})

test('damaged files, and files of two models, are errors that name them and say what to do', async () => {
  const path = join(folder, 'damaged')
  const json = join(path, 'model.json')
  await saveModel(new nn.Linear(3, 2), path)
  const good = await readFile(json, 'utf8')
  const fails = async (content: string, message: RegExp) => {
    await writeFile(json, content)
    await assert.rejects(loadModel(path), { name: 'FormatError', message })
  }
  await fails('<!doctype html>', /damaged\/model\.json: it is not JSON/)
  await fails('{}', /does not describe a model that saveModel wrote/)
  await fails(good.replace('"version": 1', '"version": 9'), /version 9 is newer/)
  await fails(good.replace('"arguments"', '"x": {}, "arguments"'), /are of two models: saving was interrupted/)
  await writeFile(json, good)
  const state = await loadSafetensors(join(path, 'model.safetensors'))
  await saveSafetensors(join(path, 'model.safetensors'), { weight: state.weight as Tensor })
  await assert.rejects(loadModel(path), { name: 'StateDictError', message: /damaged: .*missing: bias/ })
  await rm(json)
  await assert.rejects(loadModel(path), { message: /there is no model\.json, and the weights do not tell/ })
  for (const [architecture, message] of [
    [[], /is no module/],
    [{ class: 'Nothing' }, /a module "Nothing", which is not known/],
    [{ class: 'constructor' }, /"constructor", which is not known/],
    [{ class: 'ReLU', arguments: 3 }, /that are no list/],
    [{ class: 'Sequential', arguments: [{ same: 0 }] }, /has no module 0 before it/],
    [{ class: 'ReLU', arguments: [{ function: 'eval' }] }, /a function "eval", which is not known/],
    [{ class: 'ReLU', arguments: [{ tensor: 'x' }] }, /needs a tensor 'x'/],
  ] as const) {
    assert.throws(() => construct(architecture, { ...nn }, {}), { name: 'FormatError', message })
  }
})

test('a state of another architecture lists the keys that differ, the first of many', () => {
  const layers = Array.from({ length: 20 }, () => new nn.Linear(2, 2))
  const state = new nn.Sequential(...layers).stateDict()
  assert.throws(() => new nn.Linear(2, 3).loadStateDict(state), {
    message: /missing: weight, bias; unexpected: 0\.weight, 0\.bias, 1\.weight, .* 5\.bias and 28 more\.$/,
  })
})
