import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testedDevices } from '../devices/tested.ts'
import {
  checkIndex,
  compile,
  crossEntropy,
  exportProgram,
  IndexError,
  loadProgram,
  nn,
  ones,
  randn,
  scan,
  setDevice,
  type Tensor,
  tensor,
  zeros,
} from '../index.ts'

const ints = (...values: number[]): Tensor => tensor(Int32Array.from(values))

/** Functions of five numbers and three places in 0…4, which are checked though nothing needs what they lead to. */
const forgetful: Record<string, (x: Tensor, places: Tensor) => Tensor | Tensor[]> = {
  'an unused selection': (x, places) => {
    x.indexSelect(0, places)
    return x.mul(2)
  },
  'no results at all': (x, places) => {
    x.gather(0, places)
    return []
  },
  'an unused sum at places': (x, places) => {
    zeros([5]).scatterAdd(0, places, ones([3]))
    return x.sum()
  },
  'an unused check': (x, places) => {
    checkIndex(places, 5, 'row')
    return x
  },
  'an unused one-hot code': (x, places) => {
    places.oneHot(5)
    return x.exp()
  },
  'places computed by the way': (x, places) => {
    x.unsqueeze(0).expand(4, 5).indexSelect(1, places.mul(3).sub(places).sub(places))
    return x
  },
  'a part of a selection': (x, places) => x.indexSelect(0, places).slice([0, 1]).add(1),
  'nothing of a selection': (x, places) => x.indexSelect(0, places).slice([1, 1]),
  'a part of checked places': (_x, places) => checkIndex(places, 5, 'row').slice([2, 3]).add(1),
  'some windows of a selection': (x, places) => x.indexSelect(0, places).windows([1], [2]).sum(),
  'a number times zero elements': (x, places) =>
    x
      .indexSelect(0, places)
      .reshape([3, 1])
      .slice(null, [0, 0])
      .matmul(zeros([0, 2])),
  'every step of a loop': (x, places) =>
    scan(
      ([sum], [place]) => {
        x.indexSelect(0, (place as Tensor).reshape([1]))
        return { carry: [(sum as Tensor).add(1)] }
      },
      [zeros([2])],
      [places],
    ).carry[0] as Tensor,
  'an unused loop': (x, places) => {
    scan(
      ([sum], [place]) => ({ carry: [(sum as Tensor).add(x.indexSelect(0, (place as Tensor).reshape([1])))] }),
      [zeros([1])],
      [places],
    )
    return x.neg()
  },
}

for (const { name: device, skip } of testedDevices) {
  test(`an index out of range is an error compiled exactly where it is one eager, on ${device}`, { skip }, () => {
    setDevice(device)
    for (const [name, fn] of Object.entries(forgetful)) {
      const compiled = compile(fn)
      const place = fc.integer({ min: -1, max: 5 })
      fc.assert(
        fc.property(fc.array(place, { minLength: 3, maxLength: 3 }), (places) => {
          const outside = places.some((p) => p < 0 || p >= 5)
          for (const run of [fn, compiled]) {
            const call = (): unknown => run(ones([5]), ints(...places))
            if (outside) assert.throws(call, (e) => e instanceof IndexError && e.size === 5, name)
            else assert.doesNotThrow(call, name)
          }
        }),
        { numRuns: 12 },
      )
    }
  })

  test(`state keeps its values where an index is out of range that only a replaced value used, on ${device}`, {
    skip,
  }, () => {
    setDevice(device)
    const count = zeros([])
    const step = compile((x: Tensor, places: Tensor) => {
      const next = count.add(1)
      count.copy_(x.indexSelect(0, places).sum())
      count.copy_(next)
    })
    step(ones([5]), ints(1, 2))
    assert.throws(() => step(ones([5]), ints(4, 5)), IndexError)
    assert.equal(count.item(), 1)
  })
}

/** How many checks the plan has that the function's own kernels do not make. */
function added(fn: (...xs: Tensor[]) => unknown, ...inputs: Tensor[]): number {
  setDevice('reference')
  const run = compile(fn)
  run(...inputs)
  const lines = run.print('graph').split('\n')
  const used = new Set(lines.flatMap((line) => line.slice(line.indexOf('=')).match(/%\d+/g) ?? []))
  return lines.filter((line) => line.includes('= checkIndex(') && !used.has(line.slice(0, line.indexOf(':')))).length
}

test('a check that is made on the way, or cannot fail, costs nothing', () => {
  setDevice('reference')
  const logits = randn([4, 3])
  const classes = ints(0, 1, 2, 0)
  const table = new nn.Embedding(5, 2)
  const training = added(() => {
    const loss = crossEntropy(
      table
        .forward(classes)
        .matmul(ones([2, 3]))
        .add(logits),
      classes,
    )
    loss.backward()
    return loss
  })
  assert.equal(training, 0)
  assert.equal(
    added((x) => x.sort(1).indices, logits),
    0,
  )
  assert.equal(
    added((x) => x.topk(2, 1).values.slice(null, [0, 1]), logits),
    0,
  )
  assert.equal(
    added((x) => {
      x.indexSelect(1, x.argmax(0).slice([0, 1]).mul(0).add(0))
      x.gather(0, x.argmax(0, true))
      return x.argmax(1).oneHot(3)
    }, logits),
    1,
  )
  assert.equal(
    added(
      (x, places) => {
        x.indexSelect(0, places)
        x.t().indexSelect(1, places)
        return x.indexSelect(0, places).sum()
      },
      logits,
      classes,
    ),
    0,
  )
  assert.equal(
    added(
      (x, places) => {
        x.indexSelect(0, places)
        return x.indexSelect(1, places)
      },
      randn([4, 9]),
      classes,
    ),
    1,
  )
})

test('an exported program has the ports of the function, and the checks of all that it does', async () => {
  setDevice('reference')
  const bytes = exportProgram(
    (x, places) => {
      x.indexSelect(0, places)
      return x.mul(2)
    },
    [ones([3]), ints(0, 1)],
  )
  const program = await loadProgram(bytes)
  assert.deepEqual([program.inputs.length, program.outputs.length], [2, 1])
  assert.deepEqual([...(program.run([1, 2, 3], [2, 0])[0] as Float32Array)], [2, 4, 6])
  assert.throws(() => program.run([1, 2, 3], [2, 3]), IndexError)
  assert.deepEqual([...(program.run([1, 2, 3], [0, 0])[0] as Float32Array)], [2, 4, 6])
})
