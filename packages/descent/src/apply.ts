/** How an operation on tensors comes to be run, or traced, and noted for gradients. */
import * as autograd from './autograd.ts'
import { currentDevice } from './backend.ts'
import type { Device } from './devices/device.ts'
import { contiguousStrides } from './dtype.ts'
import { type EagerInput, runEager } from './eager.ts'
import type { OpDef } from './ops/op.ts'
import { Tensor } from './tensor.ts'
import { activeTrace } from './trace.ts'

/** Runs or traces an operation, and notes it for gradients. */
export function applyOp<A>(device: Device, op: OpDef<A>, attrs: A, given: readonly Tensor[]): Tensor {
  const trace = activeTrace()
  const inputs = trace ? trace.inside(given) : given
  const derivation = derivationOf(op, attrs, inputs)
  if (trace) {
    const node = trace.graph.apply(
      op,
      attrs,
      inputs.map((x) => x.nodeIn(trace)),
    )
    return new Tensor(device, node, { trace, node }, derivation)
  }
  const meta = op.infer(inputs, attrs)
  const [first] = inputs
  if (op.view && first) {
    const { storage, strides, offset } = first.stored
    const view = op.view({ shape: first.shape, strides, offset }, attrs)
    if (view) return new Tensor(device, meta, { storage, strides: view.strides, offset: view.offset }, derivation)
  }
  const stored = inputs.map((x): EagerInput => ({ shape: x.shape, dtype: x.dtype, stored: x.stored }))
  for (const { stored: s } of stored) {
    if (s.storage.device !== device)
      throw new Error(`${op.name}: tensors live on different devices, ${device.name} and ${s.storage.device.name}.`)
  }
  const storage = runEager(device, op, attrs, stored, meta)
  return new Tensor(device, meta, { storage, strides: contiguousStrides(meta.shape), offset: 0 }, derivation)
}

function derivationOf<A>(op: OpDef<A>, attrs: A, inputs: readonly Tensor[]): autograd.Derivation | null {
  const { vjp } = op
  if (!vjp || !autograd.isRecording() || !inputs.some((x) => x.requiresGrad)) return null
  return {
    sequence: autograd.nextSequence(),
    name: op.name,
    inputs,
    vjp: (cotangent, out) => vjp(cotangent, inputs, out, attrs),
  }
}

/** A result computed without records, whose gradient is given by a rule of its own. */
export function withVjp(
  name: string,
  given: readonly Tensor[],
  compute: () => Tensor,
  vjp: autograd.Derivation['vjp'],
): Tensor {
  const inputs = activeTrace()?.inside(given) ?? given
  const out = autograd.noGrad(compute)
  if (!autograd.isRecording() || !inputs.some((x) => x.requiresGrad)) return out
  return rederive(out, { sequence: autograd.nextSequence(), name, inputs, vjp })
}

function rederive(out: Tensor, derivation: autograd.Derivation): Tensor {
  const trace = activeTrace()
  const values = trace ? { trace, node: out.nodeIn(trace) } : out.stored
  return new Tensor(deviceOf(out), out, values, derivation)
}

export function deviceOf(x: Tensor): Device {
  return x.isTraced ? currentDevice() : x.stored.storage.device
}
