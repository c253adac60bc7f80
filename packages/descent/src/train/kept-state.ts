/** All that a training step changes, kept aside, so that it can be put back to the bit. */
import { noGrad } from '../autograd.ts'
import { deviceNamed } from '../backend.ts'
import type { Module } from '../nn/module.ts'
import type { Optimizer } from '../optim/optimizer.ts'
import { defaultGenerator, Generator } from '../random.ts'
import type { Tensor } from '../tensor.ts'

/** The default generator of a network's device. */
export function generatorOf(net: Module): Generator {
  const device = net.parameters()[0]?.device
  return device ? defaultGenerator(deviceNamed(device)) : defaultGenerator()
}

/** The generators that a network draws from: the default one of its device, and those that its modules were given. */
function generatorsOf(net: Module): Generator[] {
  const found = new Set([generatorOf(net)])
  for (const module of net.modules()) {
    for (const value of Object.values(module) as unknown[]) {
      const own = value instanceof Generator ? value : (value as { generator?: unknown } | null)?.generator
      if (own instanceof Generator) found.add(own)
    }
  }
  return [...found]
}

/** Keeps the present state of network, optimizer and generators; what it gives back puts it back. */
export function keepState(net: Module, optimizer: Optimizer): () => void {
  const mode = net.training
  const tensors = [
    ...net.parameters(),
    ...net.buffers(),
    ...optimizer.parameters,
    ...generatorsOf(net).flatMap(({ key, draws }) => [key, draws]),
  ]
  const values = noGrad(() => tensors.map((x) => x.detach().clone()))
  const gradients = [...net.parameters(), ...optimizer.parameters].map((p) => [p, p.grad] as const)
  const kept = noGrad(() => Object.entries(optimizer.stateDict()).map(([name, x]) => [name, x.clone()] as const))
  return () => {
    noGrad(() => {
      for (const [i, x] of tensors.entries()) x.copy_(values[i] as Tensor)
    })
    optimizer.loadStateDict(Object.fromEntries(kept))
    for (const [p, gradient] of gradients) p.grad = gradient
    net.train(mode)
  }
}
