/**
 * How a packed GEMM is cut up. One chunk computes a block of mBlock × nBlock sums over one split of k; within it, k runs in
 * steps of kBlock. All of it follows from the shapes alone, so that the order of summation does too.
 */
import type { GemmMachine, Panels } from './gemm-machine.ts'

export interface Problem {
  readonly batch: number
  readonly m: number
  readonly n: number
  readonly k: number
  /** Whether A is another one for each point of the batch. */
  readonly batchedA: boolean
  /** See GemmKernel. */
  readonly fixed: 'a' | 'b' | null
}

export interface Tiling {
  readonly panels: Panels
  readonly mBlock: number
  readonly mBlocks: number
  readonly nBlock: number
  readonly nBlocks: number
  readonly kBlock: number
  /** k is cut into this many parts, summed apart and added in a last phase. */
  readonly splits: number
  /** A multiple of kBlock, but for the last part. */
  readonly kSplit: number
  /** A is packed once, for all chunks, by a phase before. */
  readonly sharedA: boolean
  /** B likewise: in a loop whose iterations all have the same. */
  readonly sharedB: boolean
}

const preciseWork = 1 << 18
/** Sums of no more products than this hardly round, in f32 too. */
const fewProducts = 64
const maxSharedBytes = 16 * 1024 * 1024
/** Packing so few elements again in every chunk takes less time than a phase for it. */
const littleToPack = 1 << 13
const ceil = (x: number, by: number) => Math.ceil(x / by)
const roundUp = (x: number, by: number) => ceil(x, by) * by

/**
 * Small products take so little time that they can be exact: the product of two f32 is exact in f64, and a sum of them all but
 * is, so that only the result is rounded, whatever cancels out. (In f32 no order of summation holds a small sum of k large
 * products to 2e-5: with blocks, in pairs or with compensated blocks one in a thousand fails at k = 200.)
 */
export function sumsOf({ batch, m, n, k }: Pick<Problem, 'batch' | 'm' | 'n' | 'k'>): Panels['sums'] {
  return k > fewProducts && batch * m * n * k < preciseWork ? 'f64' : 'f32'
}

export function chooseTiling(
  { batch, m, n, k, batchedA, fixed }: Problem,
  panels: Panels,
  machine: GemmMachine,
): Tiling {
  const { rate, blockBytes, depthGrain } = machine
  const nanoseconds = (batch * m * n * k) / rate
  const wanted = nanoseconds < 20_000 ? 1 : Math.min(16, Math.max(2, Math.floor(nanoseconds / 20_000)))
  let splits = 1
  if (k >= 1024 && batch * m * n <= 65_536) splits = Math.min(8, Math.floor(k / 256), wanted)
  const mostK = panels.sums === 'f64' ? k : machine.mostDepth
  const kBlock = roundUp(ceil(ceil(k, splits), ceil(ceil(k, splits), mostK)), depthGrain)
  const kSplit = roundUp(ceil(k, splits), kBlock)
  splits = ceil(k, kSplit)

  const { height, columns: panelColumns } = panels
  const columns = roundUp(n, panelColumns)
  const mostN = Math.max(panelColumns, Math.floor(blockBytes / 4 / kBlock / panelColumns) * panelColumns)
  let nBlocks = ceil(columns, Math.min(mostN, 1024))
  const nBlockFor = (blocks: number) => roundUp(ceil(columns, blocks), panelColumns)
  // Cutting n repeats no packing where A is packed once; cutting m packs B again. But epilogues read and write rows of a
  // block: runs of 128 columns come from memory faster than short ones (1.3 times the whole product's speed), and where
  // there are many rows packing B again costs little.
  const narrow = m < 256 ? 32 : Math.min(128, Math.max(32, Math.floor(n / 4)))
  while (batch * splits * nBlocks < wanted && nBlockFor(nBlocks) > narrow) nBlocks++
  const sumsStay = kSplit > kBlock && splits === 1
  const mostM = sumsStay ? Math.floor(blockBytes / 4 / nBlockFor(nBlocks) / height) * height : 2048
  let mBlocks = ceil(m, mostM)
  const chunks = () => batch * splits * nBlocks * mBlocks
  while (chunks() < wanted && m / mBlocks > 8 * height) mBlocks++
  let nBlock = nBlockFor(nBlocks)
  // Few chunks should be as many as two or four threads can share evenly.
  const others = batch * splits * mBlocks
  if (nBlocks > 1 && others * ceil(columns, nBlock) < 32) {
    const idle = (width: number) =>
      2 * idleShare(others * ceil(columns, width), 2) + idleShare(others * ceil(columns, width), 4)
    for (let width = nBlock - panelColumns; width >= Math.min(narrow, 64); width -= panelColumns)
      if (idle(width) < idle(nBlock)) nBlock = width
  }
  const mBlock = roundUp(ceil(m, mBlocks), height)
  nBlocks = ceil(columns, nBlock)
  mBlocks = ceil(m, mBlock)
  const uses = nBlocks * (batchedA ? 1 : batch)
  const sharedB = fixed === 'b' && batch === 1 && splits === 1 && columns * k * 4 <= maxSharedBytes
  const wantedA = fixed === 'a' ? batch === 1 : uses > 1 && !(sharedB && m * k <= littleToPack)
  const sharedA = wantedA && splits === 1 && (batchedA ? batch : 1) * m * k * 4 <= maxSharedBytes
  return { panels, mBlock, mBlocks, nBlock, nBlocks, kBlock, splits, kSplit, sharedA, sharedB }
}

/** How much of the time threads wait for the last chunks. */
function idleShare(chunks: number, threads: number): number {
  return (ceil(chunks, threads) * threads) / chunks - 1
}
