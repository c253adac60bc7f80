/**
 * The packed GEMM: a phase that packs A for all (where several chunks need it), the phase of the products, and, where
 * k is split, a phase that adds the parts. Within a chunk a block of B is packed for each step of k; then panel after panel of A
 * passes over it, and each panel's finished rows go through the epilogue while they are in the L1 cache.
 */
import { forRange, locals, minimum, takeDigit } from './control.ts'
import { type PackedGemm, PackedLayout } from './gemm-layout.ts'
import { type EmittedKernel, newBody, type Phase, type Target } from './target.ts'

const [start, end, bind, scratch] = [0, 1, 2, 3]

export function emitPacked(g: PackedGemm, target: Target): Omit<EmittedKernel, 'tables'> {
  const layout = new PackedLayout(g)
  const phases: Phase[] = []
  const { fixed } = g.problem
  if (g.tiling.sharedA) phases.push({ ...packPhase(layout, target), ...(fixed === 'a' ? { once: true } : {}) })
  if (g.tiling.sharedB) phases.push({ ...packPhaseOfB(layout, target), once: true })
  phases.push(productPhase(layout, target))
  if (g.tiling.splits > 1) phases.push(sumPhase(layout, target))
  const { batch, m, n, k } = g.problem
  const nanoseconds = (batch * m * n * k) / g.machine.rate + (batch * m * n) / 4
  return { phases, sharedBytes: layout.sharedBytes, scratchBytes: layout.scratchBytes, work: () => nanoseconds }
}

/** Phase: every chunk packs a quarter of a k block of a block of rows of A into shared memory. */
function packPhase(layout: PackedLayout, target: Target): Phase {
  const { g } = layout
  const { kBlock, mBlocks, mBlock } = g.tiling
  const kBlocks = Math.ceil(g.problem.k / kBlock)
  const grain = g.machine.depthGrain
  const quarter = Math.ceil(kBlock / (4 * grain)) * grain
  const f = newBody(target)
  const [c, rest, m0, k0, kEnd, from, to] = locals(f, 7)
  const batch = layout.batchLocals(f)
  const image = f.local('int')
  forRange(
    f,
    c,
    () => f.get(start),
    () => f.get(end),
    () => {
      f.get(c).set(rest)
      takeDigit(f, rest, 4, from)
      takeDigit(f, rest, mBlocks, m0)
      f.get(m0).constant(mBlock).int('mul').set(m0)
      takeDigit(f, rest, kBlocks, k0)
      f.get(k0).constant(kBlock).int('mul').set(k0)
      f.get(rest).set(image)
      if (g.a.batched) layout.setBatch(f, rest, batch)
      g.a.prepare(f, batch)
      minimum(
        f,
        () => f.get(k0).constant(kBlock).int('add'),
        () => f.constant(g.problem.k),
      ).set(kEnd)
      f.get(k0).get(from).constant(quarter).int('mul').int('add').set(from)
      minimum(
        f,
        () => f.get(from).constant(quarter).int('add'),
        () => f.get(kEnd),
      ).set(to)
      f.get(from).get(to).int('lt_s').if()
      layout.eachPanel(f, m0, (height, row) => {
        const dst = () => {
          layout.sharedPanel(f, image, k0, kEnd, row)
          f.get(from)
            .get(k0)
            .int('sub')
            .constant(height * 4)
            .int('mul')
            .int('add')
        }
        g.a.pack(f, height, dst, () => f.get(row), from, to, batch)
      })
      f.end()
    },
  )
  const chunks = (g.a.batched ? g.problem.batch : 1) * kBlocks * mBlocks * 4
  return { body: f, chunks: () => chunks }
}

/** Phase: every chunk packs a panel of a k block of B into shared memory. */
function packPhaseOfB(layout: PackedLayout, target: Target): Phase {
  const { g } = layout
  const { kBlock, panels } = g.tiling
  const count = layout.columns / panels.columns
  const f = newBody(target)
  const [c, k0, kEnd, n0] = locals(f, 4)
  const batch = layout.batchLocals(f)
  forRange(
    f,
    c,
    () => f.get(start),
    () => f.get(end),
    () => {
      f.get(c).set(k0)
      takeDigit(f, k0, count, n0)
      f.get(n0).constant(panels.columns).int('mul').set(n0)
      f.get(k0).constant(kBlock).int('mul').set(k0)
      minimum(
        f,
        () => f.get(k0).constant(kBlock).int('add'),
        () => f.constant(g.problem.k),
      ).set(kEnd)
      g.b.prepare(f, batch)
      const dst = () => layout.sharedPanelOfB(f, k0, kEnd, n0)
      g.b.pack(f, panels.columns, dst, () => f.get(n0), k0, kEnd, batch)
    },
  )
  const chunks = count * Math.ceil(g.problem.k / kBlock)
  return { body: f, chunks: () => chunks }
}

function productPhase(layout: PackedLayout, target: Target): Phase {
  const { g } = layout
  const { m, n, k, batch: images } = g.problem
  const { panels: shape, mBlock, mBlocks, nBlock, nBlocks, kBlock, splits, kSplit, sharedA, sharedB } = g.tiling
  const panelColumns = shape.columns
  const columnShift = Math.log2(panelColumns)
  const f = newBody(target)
  const [c, rest, n0, nEnd, panels, m0, kStart, kStop, k0, kEnd, q] = locals(f, 11)
  const [sums, firstSums, image, part, packedB, packedA] = locals(f, 6)
  const batch = layout.batchLocals(f)
  const staying = kSplit > kBlock || splits > 1
  const rowBytes = (splits > 1 ? layout.columns : nBlock) * 4
  f.get(scratch).constant(layout.blockOfB).int('add').set(packedB)
  forRange(
    f,
    c,
    () => f.get(start),
    () => f.get(end),
    () => {
      f.get(c).set(rest)
      takeDigit(f, rest, nBlocks, n0)
      f.get(n0).constant(nBlock).int('mul').set(n0)
      minimum(
        f,
        () => f.get(n0).constant(nBlock).int('add'),
        () => f.constant(n),
      ).set(nEnd)
      f.get(nEnd)
        .get(n0)
        .int('sub')
        .constant(panelColumns - 1)
        .int('add')
        .constant(columnShift)
        .int('shr_u')
        .set(panels)
      takeDigit(f, rest, mBlocks, m0)
      f.get(m0).constant(mBlock).int('mul').set(m0)
      takeDigit(f, rest, splits, part)
      f.get(part).constant(kSplit).int('mul').set(kStart)
      minimum(
        f,
        () => f.get(kStart).constant(kSplit).int('add'),
        () => f.constant(k),
      ).set(kStop)
      f.get(rest).set(image)
      layout.setBatch(f, rest, batch)
      if (!sharedA) g.a.prepare(f, batch)
      if (!sharedB) g.b.prepare(f, batch)
      if (splits > 1) {
        layout.shared(f)
        f.get(image)
          .constant(splits)
          .int('mul')
          .get(part)
          .int('add')
          .constant(layout.rows)
          .int('mul')
          .get(m0)
          .int('add')
        f.constant(layout.columns).int('mul').get(n0).int('add').constant(2).int('shl').int('add').set(firstSums)
      } else f.get(scratch).constant(layout.sums).int('add').set(firstSums)

      f.get(kStart).set(k0)
      const nextBlock = f.loop()
      minimum(
        f,
        () => f.get(k0).constant(kBlock).int('add'),
        () => f.get(kStop),
      ).set(kEnd)
      if (sharedB) {
        layout.sharedPanelOfB(f, k0, kEnd, n0)
        f.set(packedB)
      } else
        forRange(
          f,
          q,
          () => f.constant(0),
          () => f.get(panels),
          () => {
            const dst = () =>
              f
                .get(kEnd)
                .get(k0)
                .int('sub')
                .get(q)
                .int('mul')
                .constant(columnShift + 2)
                .int('shl')
                .get(packedB)
                .int('add')
            g.b.pack(
              f,
              panelColumns,
              dst,
              () => f.get(q).constant(columnShift).int('shl').get(n0).int('add'),
              k0,
              kEnd,
              batch,
            )
          },
        )
      f.get(firstSums).set(sums)
      layout.eachPanel(f, m0, (height, row) => {
        if (sharedA) {
          if (g.a.batched) layout.sharedPanel(f, image, k0, kEnd, row)
          else layout.sharedPanel(f, null, k0, kEnd, row)
        } else {
          g.a.pack(
            f,
            height,
            () => f.get(scratch),
            () => f.get(row),
            k0,
            kEnd,
            batch,
          )
          f.get(scratch)
        }
        f.set(packedA)
        f.get(packedA).get(packedB).get(sums).get(panels).get(kEnd).get(k0).int('sub').constant(rowBytes)
        if (kSplit > kBlock) f.get(k0).get(kStart).int('ne')
        else f.constant(0)
        f.call(g.machine.micro(shape, height))
        if (splits === 1) {
          if (kSplit > kBlock) f.get(kEnd).get(kStop).int('eq').if()
          f.get(row)
          minimum(
            f,
            () => f.get(row).constant(height).int('add'),
            () => f.constant(m),
          )
          f.get(n0).get(nEnd).get(sums).constant(rowBytes).get(bind).get(scratch)
          for (const local of batch.values()) f.get(local)
          f.call(g.epilogue)
          if (kSplit > kBlock) f.end()
        }
        if (staying)
          f.get(sums)
            .constant(height * rowBytes)
            .int('add')
            .set(sums)
      })
      f.get(kEnd).tee(k0).get(kStop).int('lt_s').brIf(nextBlock)
      f.end()
    },
  )
  const chunks = images * splits * mBlocks * nBlocks
  return { body: f, chunks: () => chunks }
}

/** Phase: every chunk adds the parts of some rows, in order, and runs the epilogue on them. */
function sumPhase(layout: PackedLayout, target: Target): Phase {
  const { g } = layout
  const { m, n, batch: images } = g.problem
  const rowsPerChunk = 4
  const { splits } = g.tiling
  const f = newBody(target)
  const [c, rest, row, image, source, into, stop, rowEnd, block] = locals(f, 9)
  const batch = layout.batchLocals(f)
  const partBytes = layout.rows * layout.columns * 4
  const blocks = Math.ceil(m / rowsPerChunk)
  forRange(
    f,
    c,
    () => f.get(start),
    () => f.get(end),
    () => {
      f.get(c).set(rest)
      takeDigit(f, rest, blocks, block)
      f.get(rest).set(image)
      layout.setBatch(f, rest, batch)
      minimum(
        f,
        () => f.get(block).constant(1).int('add').constant(rowsPerChunk).int('mul'),
        () => f.constant(m),
      ).set(rowEnd)
      forRange(
        f,
        row,
        () => f.get(block).constant(rowsPerChunk).int('mul'),
        () => f.get(rowEnd),
        () => {
          layout.shared(f)
          f.get(image)
            .constant(splits * layout.rows)
            .int('mul')
            .get(row)
            .int('add')
            .constant(layout.columns * 4)
            .int('mul')
            .int('add')
          f.set(source)
          f.get(scratch)
            .constant(layout.sums)
            .int('add')
            .tee(into)
            .constant(layout.columns * 4)
            .int('add')
            .set(stop)
          const again = f.loop()
          f.get(into)
          for (let s = 0; s < splits; s++) {
            f.get(source).loadVector(s * partBytes, target.lanes)
            if (s > 0) f.float('add')
          }
          f.storeVector(0, target.lanes)
          f.get(source)
            .constant(4 * target.lanes)
            .int('add')
            .set(source)
          f.get(into)
            .constant(4 * target.lanes)
            .int('add')
            .tee(into)
            .get(stop)
            .int('lt_u')
            .brIf(again)
            .end()
          f.get(row).get(row).constant(1).int('add').constant(0).constant(n)
          f.get(scratch).constant(layout.sums).int('add').constant(0).get(bind).get(scratch)
          for (const local of batch.values()) f.get(local)
          f.call(g.epilogue)
        },
      )
    },
  )
  return { body: f, chunks: () => images * blocks }
}
