/** Muon: momentum made orthogonal, for the matrices inside of a network. */
import { ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import type { Group, GroupSettings } from './group.ts'
import { Optimizer, type ParametersOf, requireFrom0, requireShares } from './optimizer.ts'

/** How the rate follows from a matrix [A, B]: see `Muon`. */
export type MuonAdjustment = 'original' | 'matchRmsAdamW' | 'spectralUnclamped'

export interface MuonSettings extends GroupSettings {
  readonly momentum: number
  readonly nesterov: boolean
  readonly nsCoefficients: readonly [a: number, b: number, c: number]
  readonly nsSteps: number
  readonly eps: number
  readonly adjustLr: MuonAdjustment
}

export interface MuonOptions {
  /** Default 0.001. */
  readonly lr?: number
  /** Shrinks the parameters by lr·weightDecay. Default 0.1. */
  readonly weightDecay?: number
  /** Default 0.95. */
  readonly momentum?: number
  /** Default true. */
  readonly nesterov?: boolean
  /** The polynomial aX + bXXᵀX + c(XXᵀ)²X. Default [3.4445, −4.775, 2.0315]. */
  readonly nsCoefficients?: readonly [a: number, b: number, c: number]
  /** How often it is applied. Default 5. */
  readonly nsSteps?: number
  /** Default 1e-7. */
  readonly eps?: number
  /** Default 'original'. */
  readonly adjustLr?: MuonAdjustment
  /** Climb instead of descend. Default false. */
  readonly maximize?: boolean
}

/**
 * For matrices p [A, B]: m ← momentum·m + (1 − momentum)∇; u = momentum·m + (1 − momentum)∇ with Nesterov, else m; O is
 * u with its singular values brought near 1 by `nsSteps` Newton–Schulz iterations X ← aX + bXXᵀX + c(XXᵀ)²X from
 * u / max(‖u‖, eps); p ← p − lr·(s·O + weightDecay·p). s is √max(1, A/B) ('original'), 0.2·√max(A, B) ('matchRmsAdamW',
 * so that rates of AdamW fit) or √(A/B) ('spectralUnclamped'). Biases, embeddings and the last layer go to another
 * optimizer. Throws ShapeError for a parameter that is no matrix, RangeError for settings that cannot be. It computes
 * in f32 where PyTorch rounds to bfloat16. Source: Jordan et al., "Muon: an optimizer for hidden layers in neural
 * networks", 2024; Liu et al., "Muon is scalable for LLM training", 2025; torch.optim.Muon.
 *
 * @example
 * ```ts
 * import { nn, optim, randn } from 'descent'
 * const net = new nn.Sequential(new nn.Linear(4, 8), new nn.ReLU(), new nn.Linear(8, 1))
 * const matrices = net.parameters().filter((p) => p.ndim === 2)
 * const others = net.parameters().filter((p) => p.ndim !== 2)
 * const optimizers = [new optim.Muon(matrices, { lr: 0.02 }), new optim.AdamW(others)]
 * net.forward(randn([16, 4])).square().mean().backward()
 * for (const optimizer of optimizers) optimizer.step()
 * ```
 */
export class Muon extends Optimizer<MuonSettings, 'momentum_buffer', never> {
  constructor(parameters: ParametersOf<MuonSettings>, options: MuonOptions = {}) {
    super(parameters, {
      lr: 1e-3,
      weightDecay: 0.1,
      momentum: 0.95,
      nesterov: true,
      nsCoefficients: [3.4445, -4.775, 2.0315],
      nsSteps: 5,
      eps: 1e-7,
      adjustLr: 'original',
      maximize: false,
      ...options,
    })
  }

  protected override check({ momentum, nsSteps, eps }: MuonSettings): void {
    requireShares('Muon: momentum', [momentum])
    requireFrom0('Muon: eps', eps)
    if (!Number.isInteger(nsSteps) || nsSteps < 0 || nsSteps >= 100)
      throw new RangeError(`Muon: nsSteps must be a whole number from 0 to 99, not ${nsSteps}.`)
  }

  protected override checkParameter(name: string, { shape }: Tensor): void {
    if (shape.length !== 2) {
      throw new ShapeError(
        `Muon: takes matrices, but ${name} is [${shape.join(', ')}]. Give biases, kernels and embeddings to another optimizer, AdamW for instance.`,
      )
    }
  }

  protected override slots(): Record<string, number> {
    return { momentum_buffer: 0 }
  }

  protected override decoupled(): boolean {
    return true
  }

  protected override move(g: Tensor, slots: Record<'momentum_buffer', Tensor>, group: Group<MuonSettings>): Tensor {
    const share = group.scalar('1-momentum', (s) => 1 - s.momentum)
    const mixed = (mean: Tensor): Tensor => mean.mul(group.scalar('momentum', (s) => s.momentum)).add(g.mul(share))
    const buffer = mixed(slots.momentum_buffer)
    slots.momentum_buffer.copy_(buffer)
    const direction = group.fixed('nesterov') ? mixed(buffer) : buffer
    const [rows, columns] = g.shape as [number, number]
    return this.#orthogonal(direction, group)
      .mul(group.scalar('lr', (s) => s.lr))
      .mul(adjustment(group.fixed('adjustLr'), rows, columns))
  }

  /** In the orientation with fewer rows, where XXᵀ is smaller. */
  #orthogonal(matrix: Tensor, group: Group<MuonSettings>): Tensor {
    const [rows, columns] = matrix.shape as [number, number]
    const tall = rows > columns
    const [a, b, c] = group.fixed('nsCoefficients')
    let x = tall ? matrix.t() : matrix
    x = x.div(
      x
        .square()
        .sum()
        .sqrt()
        .maximum(group.scalar('eps', (s) => s.eps)),
    )
    for (let i = 0; i < group.fixed('nsSteps'); i++) {
      const gram = x.matmul(x.t())
      x = gram.mul(b).add(gram.matmul(gram).mul(c)).matmul(x).add(x.mul(a))
    }
    return tall ? x.t() : x
  }
}

function adjustment(kind: MuonAdjustment, rows: number, columns: number): number {
  switch (kind) {
    case 'original':
      return Math.sqrt(Math.max(1, rows / columns))
    case 'matchRmsAdamW':
      return 0.2 * Math.sqrt(Math.max(rows, columns))
    case 'spectralUnclamped':
      return Math.sqrt(rows / columns)
  }
}
