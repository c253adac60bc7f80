/** Running means of gradients, as Adam and its relatives keep them. */
import type { Tensor } from '../tensor.ts'
import type { Group, GroupSettings } from './group.ts'

/** What stays of the running means: of the gradient, and of its square or size. */
export interface Betas extends GroupSettings {
  readonly betas: readonly [number, number]
}

export function beta(group: Group<Betas>, which: 0 | 1): Tensor {
  return group.scalar(`beta${which}`, (s) => s.betas[which])
}

/** mean·β + value·(1 − β), where 1 − β has not lost the digits that β as f32 lacks. */
export function mixed(mean: Tensor, value: Tensor, group: Group<Betas>, which: 0 | 1): Tensor {
  const rest = group.scalar(`1-beta${which}`, (s) => 1 - s.betas[which])
  return mean.mul(beta(group, which)).add(value.mul(rest))
}

/** t·log β for the counts t [n]. */
export function logPower(group: Group<Betas>, which: 0 | 1, step: Tensor): Tensor {
  return step.mul(group.scalar(`log(beta${which})`, (s) => Math.log(s.betas[which])))
}

/** 1 − βᵗ, without the loss of digits of a power of a number near 1. */
export function oneMinusPower(group: Group<Betas>, which: 0 | 1, step: Tensor): Tensor {
  return logPower(group, which, step).expm1().neg()
}
