import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { testedDevices } from './devices/tested.ts'
import {
  compile,
  DTypeError,
  grad,
  IndexError,
  ones,
  rand,
  type ScanBody,
  type ScanOptions,
  type ScanResult,
  ShapeError,
  scan,
  setDevice,
  setThreads,
  stack,
  type Tensor,
  TraceError,
  tensor,
  zeros,
} from './index.ts'

const first = (xs: readonly Tensor[]): Tensor => xs[0] as Tensor

/** Whole numbers from −2 to 2. */
function whole(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1)
  return tensor(
    Array.from({ length: size }, (_, i) => ((Math.imul(i + 1, 2654435761 + seed) >>> 9) % 5) - 2),
    { shape, dtype: 'f32' },
  )
}

/** What scan stands for. */
function written(
  body: ScanBody,
  carry: readonly Tensor[],
  xs: readonly Tensor[],
  { reverse }: ScanOptions,
): ScanResult {
  const count = first(xs).shape[0] as number
  const outputs: Tensor[][] = []
  for (let i = 0; i < count; i++) {
    const t = reverse ? count - 1 - i : i
    const made = body(
      carry,
      xs.map((x) => x.slice(t)),
    )
    carry = made.carry
    outputs[t] = [...(made.outputs ?? [])]
  }
  return { carry, outputs: (outputs[0] ?? []).map((_, i) => stack(outputs.map((list) => list[i] as Tensor))) }
}

const cases = fc.record({
  steps: fc.integer({ min: 1, max: 6 }),
  rows: fc.integer({ min: 1, max: 5 }),
  width: fc.integer({ min: 1, max: 20 }),
  reverse: fc.boolean(),
  seed: fc.integer({ min: 0, max: 1000 }),
})

for (const { name: device, skip } of testedDevices) {
  test(`${device}: scan is the loop that it stands for, with gradients, eager and compiled`, { skip }, () => {
    setDevice(device)
    fc.assert(
      fc.property(cases, ({ steps, rows, width, reverse, seed }) => {
        const x = whole([steps, rows, width], seed)
        const [h, w] = [whole([rows, width], seed + 1), whole([width, width], seed + 2).mul(0.25)]
        const loss =
          (run: typeof written) =>
          (h: Tensor, x: Tensor, w: Tensor): Tensor => {
            const body: ScanBody = ([a, b], [slice]) => {
              const next = (a as Tensor)
                .matmul(w)
                .add(slice as Tensor)
                .clamp(-4, 4)
              return { carry: [next, (b as Tensor).add(next.sum(-1))], outputs: [next.mul(slice as Tensor)] }
            }
            const { carry, outputs } = run(body, [h, zeros([rows])], [x], { reverse })
            return first(carry)
              .sum()
              .add((carry[1] as Tensor).mul(2).sum())
              .add(first(outputs).mul(x).sum())
          }
        const all =
          (run: typeof written) =>
          (h: Tensor, x: Tensor, w: Tensor): Tensor[] => [
            loss(run)(h, x, w),
            grad((h) => loss(run)(h as Tensor, x, w))(h),
            grad((x) => loss(run)(h, x as Tensor, w))(x),
            grad((w) => loss(run)(h, x, w as Tensor))(w),
          ]
        const want = all(written)(h, x, w)
        for (const got of [all(scan)(h, x, w), compile(all(scan))(h, x, w)]) {
          got.forEach((y, i) => {
            const [a, b] = [y.values(), (want[i] as Tensor).values()]
            a.forEach((value, j) => {
              const expected = b[j] as number
              assert.ok(Math.abs(value - expected) <= 1e-5 + 2e-5 * Math.abs(expected), `${i}: ${value}, ${expected}`)
            })
          })
        }
      }),
      { numRuns: 12 },
    )
  })

  test(`${device}: a thousand steps are one plan, and the same bits on 1, 2 and 4 threads`, { skip }, () => {
    setDevice(device)
    const [steps, width] = [1000, device === 'reference' ? 8 : 64]
    const w = rand([width, width]).sub(0.5).mul(0.2).requiresGrad_()
    const x = rand([steps, 16, width])
    const step = compile((x: Tensor) => {
      w.grad = null
      const { carry, outputs } = scan(
        ([h], [slice]) => {
          const next = (h as Tensor)
            .matmul(w)
            .add(slice as Tensor)
            .tanh()
          return { carry: [next], outputs: [next.mean(-1)] }
        },
        [zeros([16, width])],
        [x],
      )
      const loss = first(carry).sum().add(first(outputs).sum())
      loss.backward()
      return [loss, w.grad as unknown as Tensor]
    })
    const bits = [1, 2, 4].map((threads) => {
      setThreads(threads)
      return step(x).map((y) => Array.from(y.values()))
    })
    assert.deepEqual(bits[1], bits[0])
    assert.deepEqual(bits[2], bits[0])
    assert.match(step.explain(), /\(2 loops among them\)/)
    assert.match(step.print('plan'), /1000 times:\n {2}step/)
    assert.ok(step.print('plan').length < 20_000)
  })

  test(`${device}: a place out of range in some step is said`, { skip }, () => {
    setDevice(device)
    const table = ones([4, 3])
    const places = (last: number): Tensor => tensor(Int32Array.of(0, 3, 1, last), { shape: [2, 2] })
    const run = (places: Tensor): Tensor =>
      first(
        scan(
          ([sum], [place]) => ({ carry: [(sum as Tensor).add(table.indexSelect(0, place as Tensor))] }),
          [zeros([2, 3])],
          [places],
        ).carry,
      )
    assert.deepEqual(run(places(2)).toArray(), [
      [2, 2, 2],
      [2, 2, 2],
    ])
    assert.throws(() => run(places(4)), IndexError)
    assert.throws(() => compile(run)(places(4)), IndexError)
  })
}

test('gradients have gradients, through carries, sequences and constants', () => {
  setDevice('reference')
  const slope = (run: typeof written) =>
    grad((w) =>
      grad((h) => {
        const body: ScanBody = ([a], [x]) => ({
          carry: [
            (a as Tensor)
              .mul(w as Tensor)
              .add(x as Tensor)
              .sin(),
          ],
        })
        return first(run(body, [h as Tensor], [tensor([0.1, 0.2, 0.3])], {}).carry)
      })(tensor(0.5)).square(),
    )(tensor(0.7)).item()
  assert.ok(Math.abs(slope(scan) - slope(written)) < 1e-12)
})

test('a body may take gradients itself, also with respect to tensors from outside', () => {
  setDevice('reference')
  const w = tensor(3).requiresGrad_()
  // Newton's method for the root of x² − w.
  const root = (run: typeof written) => {
    const body: ScanBody = ([x], [rate]) => {
      const slope = grad((y) => (y as Tensor).square().sub(w).square())(x as Tensor)
      const ofW = grad((v) => (v as Tensor).mul((x as Tensor).detach()).square())(w)
      return { carry: [(x as Tensor).sub(slope.mul(rate as Tensor))], outputs: [ofW] }
    }
    return run(body, [tensor(1.5)], [tensor([0.05, 0.04, 0.03])], {})
  }
  const [got, want] = [root(scan), root(written)]
  assert.deepEqual(first(got.carry).toArray(), first(want.carry).toArray())
  assert.deepEqual(first(got.outputs).toArray(), first(want.outputs).toArray())
})

test('a state that a loop begins with and leaves behind', () => {
  for (const { name, skip } of testedDevices) {
    if (skip) continue
    setDevice(name)
    const state = zeros([2, 3])
    const step = compile((x: Tensor) => {
      const { carry } = scan(([h], [slice]) => ({ carry: [(h as Tensor).mul(2).add(slice as Tensor)] }), [state], [x])
      state.copy_(first(carry))
      return state.sum()
    })
    step(ones([2, 2, 3]))
    assert.equal(step(ones([2, 2, 3])).item(), 6 * 15)
    assert.equal(first(scan(([h]) => ({ carry: [h as Tensor] }), [zeros([0, 3])], [zeros([4, 0])]).carry).size, 0)
  }
})

test('a loop without sequences, without carries, and one that keeps its carry', () => {
  setDevice('reference')
  const twice: ScanBody = ([x]) => ({ carry: [(x as Tensor).mul(2)] })
  assert.equal(first(scan(twice, [ones([])], [], { length: 10 }).carry).item(), 1024)
  const squares = scan((_, [x]) => ({ carry: [], outputs: [(x as Tensor).square()] }), [], [tensor([1, 2, 3])])
  assert.deepEqual(first(squares.outputs).toArray(), [1, 4, 9])
  assert.equal(first(scan(([x]) => ({ carry: [x as Tensor] }), [tensor(3)], [tensor([1, 2])]).carry).item(), 3)
})

test('what cannot be looped over is refused, with the shapes', () => {
  setDevice('reference')
  const keep: ScanBody = ([x]) => ({ carry: [x as Tensor] })
  const says = (run: () => unknown, type: new (...args: never[]) => Error, text: RegExp): void =>
    assert.throws(run, (error) => error instanceof type && text.test(error.message))
  says(() => scan(keep, [ones([2])], [zeros([0, 2])]), ShapeError, /0 steps/)
  says(() => scan(keep, [ones([2])]), ShapeError, /how many steps/)
  says(() => scan(keep, [ones([2])], [ones([])]), ShapeError, /sequence 0 is a scalar/)
  says(() => scan(keep, [ones([2])], [ones([3]), ones([4])]), ShapeError, /sequence 1 is \[4\].*3 steps/)
  says(() => scan(() => ({ carry: [] }), [ones([2])], [ones([3])]), ShapeError, /1 carries.*returns 0/)
  says(
    () => scan(([x]) => ({ carry: [(x as Tensor).sum()] }), [ones([2])], [ones([3])]),
    ShapeError,
    /carry 0 is \[2\].*\[\] of it/,
  )
  says(() => scan(keep, [tensor(Int32Array.of(1, 2))], [ones([3])]), DTypeError, /carry 0 is i32/)
  const bad =
    (fn: () => void): ScanBody =>
    ([x]) => {
      fn()
      return { carry: [x as Tensor] }
    }
  const outside = zeros([2])
  says(
    () =>
      scan(
        bad(() => outside.fill_(1)),
        [ones([2])],
        [ones([3])],
      ),
    TraceError,
    /writes into a tensor/,
  )
  says(
    () =>
      scan(
        bad(() => rand([2])),
        [ones([2])],
        [ones([3])],
      ),
    TraceError,
    /random/,
  )
  says(
    () =>
      scan(
        bad(() => outside.toArray()),
        [ones([2])],
        [ones([3])],
      ),
    TraceError,
    /cannot be read/,
  )
  says(
    () =>
      scan(
        bad(() => scan(keep, [ones([])], [ones([2])])),
        [ones([2])],
        [ones([3])],
      ),
    TraceError,
    /inside/,
  )
})
