/** Runs a case of one operation: its outputs, and its gradients by one backward pass, eager or compiled. */
import { compile, Tensor } from '../src/index.ts'
import { Args, type OperationCase, tensorOf, tensorsOf } from './cases.ts'
import { compareTensor, type Verdict } from './compare.ts'

export type Mode = 'eager' | 'compiled'
export type Inputs = Record<string, Tensor>
/** How an operation is called: the inputs by name and the arguments; several outputs as a list. */
export type Operation = (inputs: Inputs, args: Args) => Tensor | readonly Tensor[]
export type Operations = Readonly<Record<string, Operation>>

export const missing = 'no such operation'

export interface Results {
  readonly outputs: Tensor[]
  readonly gradients: Record<string, Tensor>
  readonly parameterGradients: Record<string, Tensor>
}

export function runOperation(c: OperationCase, operations: Operations, mode: Mode): Verdict[] {
  const operation = operations[c.op]
  if (!operation) return [missing]
  const args = new Args(c.args)
  return compareResults(
    c,
    differentiate(c, (x) => operation(x, args), {}, mode),
  )
}

/** Calls `forward` on the inputs of the case and takes the gradients of Σ sum(output · cotangent). */
export function differentiate(
  c: OperationCase,
  forward: (inputs: Inputs) => Tensor | readonly Tensor[],
  parameters: Record<string, Tensor>,
  mode: Mode,
): Results {
  const wanted = Object.keys(c.gradients ?? {})
  const step = (inputs: Inputs, cotangents: Tensor[]): Results => {
    const leaves: Inputs = {}
    for (const [name, x] of Object.entries(inputs)) {
      leaves[name] = wanted.includes(name) ? x.detach().requiresGrad_() : x
    }
    const result = forward(leaves)
    const outputs = result instanceof Tensor ? [result] : [...result]
    if (cotangents.length > 0) {
      const floats = outputs.filter((output) => output.dtype === 'f32')
      let total: Tensor | null = null
      for (const [i, cotangent] of cotangents.entries()) {
        const product = (floats[i] as Tensor).mul(cotangent).sum()
        total = total ? total.add(product) : product
      }
      if (total?.requiresGrad) total.backward()
    }
    return {
      outputs,
      gradients: gradientsOf(Object.fromEntries(wanted.map((name) => [name, leaves[name] as Tensor]))),
      parameterGradients: gradientsOf(parameters),
    }
  }
  const run = mode === 'compiled' ? compile(step) : step
  return run(tensorsOf(c.inputs), (c.cotangents ?? []).map(tensorOf))
}

function gradientsOf(leaves: Record<string, Tensor>): Record<string, Tensor> {
  const gradients: Record<string, Tensor> = {}
  for (const [name, leaf] of Object.entries(leaves)) if (leaf.grad) gradients[name] = leaf.grad
  return gradients
}

export function compareResults(c: OperationCase, results: Results): Verdict[] {
  const verdicts: Verdict[] = []
  if (results.outputs.length !== c.outputs.length) {
    verdicts.push(`${results.outputs.length} outputs instead of ${c.outputs.length}`)
  }
  for (const [i, want] of c.outputs.entries()) {
    const what = c.outputs.length > 1 ? `output ${i}` : 'output'
    verdicts.push(compareTensor(what, results.outputs[i] ?? null, want))
  }
  for (const [name, want] of Object.entries(c.gradients ?? {})) {
    verdicts.push(compareTensor(`gradient of ${name}`, results.gradients[name] ?? null, want))
  }
  for (const [name, want] of Object.entries(c.parameter_gradients ?? {})) {
    verdicts.push(compareTensor(`gradient of ${name}`, results.parameterGradients[name] ?? null, want))
  }
  return verdicts
}
