/**
 * Every instruction form the assembler has, for its tests: each operation at each width, with registers from each
 * quarter of the register file, in register, memory, broadcast, masked and zeroed forms; and every way to address.
 */

import { Assembler, at, type Bytes, indexed, type Mem, type Scale } from './assembler.ts'
import { canBroadcast, EVEX, MEMORY_ONLY, REGISTER_ONLY, UNMASKED } from './entry.ts'
import { constants, GENERAL, general, generalAddresses, generalImmediates, jumps, plain } from './every-general-form.ts'
import { scalarOps, vectorImmOps, vectorOps } from './table-three.ts'
import { compareOps, extractOps, moveImmOps, moveOps, shiftOps, storeOps, testOps } from './table-two.ts'

/** Instructions that share an assembler. */
export interface Section {
  readonly name: string
  readonly code: Assembler
}

const WIDTHS: readonly Bytes[] = [16, 32, 64]
const VEX_WIDTHS = [16, 32] as const
/** dst, a, b */
const REGISTERS = [
  [1, 2, 3],
  [9, 1, 10],
  [1, 9, 14],
  [17, 1, 9],
  [1, 18, 3],
  [9, 15, 19],
  [30, 31, 26],
] as const
const MASKING = { k: 3, zero: false }
const ZEROING = { k: 7, zero: true }

/** Memory operands in turn, so that over all operations each kind of address meets each tuple. */
const PLACES: readonly Mem[] = [
  at(0),
  at(7, 64),
  indexed(10, 9, 4, -128),
  at(4, 8),
  at(13),
  indexed(5, 13, 8, 0x1000),
  at(12, -4096),
  indexed(4, 12, 1, 32),
]

type Emit = (code: Assembler) => void

/** All sections, assembled with a listing. */
export function everyForm(): Section[] {
  const sections: Section[] = []
  let turn = 0
  const place = (): Mem => PLACES[turn++ % PLACES.length] as Mem
  const section = (name: string, emit: Emit): void => {
    const code = new Assembler({ listing: true })
    emit(code)
    sections.push({ name, code })
  }
  for (const [op, entry] of entriesOf(vectorOps)) {
    section(op, (c) => {
      vectorForms(entry, place, (bytes, dst, a, b, masking, broadcast) => {
        if (broadcast) c.vectorBroadcast(op, bytes, dst, a, b as Mem, masking)
        else c.vector(op, bytes, dst, a, b, masking)
      })
    })
  }
  for (const [op, entry] of entriesOf(vectorImmOps)) {
    section(`${op} imm`, (c) => {
      vectorForms(entry, place, (bytes, dst, a, b, masking, broadcast) => {
        if (broadcast) c.vectorImmBroadcast(op, bytes, dst, a, b as Mem, 0x1b, masking)
        else c.vectorImm(op, bytes, dst, a, b, dst, masking)
      })
    })
  }
  for (const [op, entry] of entriesOf(scalarOps)) {
    section(op, (c) => {
      vectorForms(entry, place, (_bytes, dst, a, b, masking) => c.scalar(op, dst, a, b, masking))
    })
  }
  for (const [op, entry] of entriesOf(moveOps)) {
    section(`${op} move`, (c) => {
      vectorForms(entry, place, (bytes, dst, _a, b, masking, broadcast) => {
        if (broadcast) c.moveBroadcast(op, bytes, dst, b as Mem, masking)
        else c.move(op, bytes, dst, b, masking)
      })
    })
  }
  for (const [op, entry] of entriesOf(moveImmOps)) {
    section(`${op} move imm`, (c) => {
      vectorForms(entry, place, (bytes, dst, _a, b, masking, broadcast) => {
        if (broadcast) c.moveImmBroadcast(op, bytes, dst, b as Mem, 0xe4, masking)
        else c.moveImm(op, bytes, dst, b, dst, masking)
      })
    })
  }
  for (const [op, entry] of entriesOf(shiftOps)) {
    section(`${op} imm`, (c) => {
      vectorForms(entry, place, (bytes, dst, _a, b, masking) => c.shiftImm(op, bytes, dst, b as number, dst, masking))
    })
  }
  for (const [op, entry] of entriesOf(storeOps)) section(`${op} store`, (c) => storeForms(c, op, entry, place))
  for (const [op, entry] of entriesOf(extractOps)) {
    section(op, (c) => {
      for (const [dst, , src] of REGISTERS) {
        if ((entry & EVEX) === 0 && (dst > 15 || src > 15)) continue
        c.extract(op, dst, src, 1)
        c.extract(op, place(), src, 0)
      }
      if ((entry & EVEX) === 0) return
      c.extract(op, 20, 9, 1, ZEROING)
      c.extract(op, place(), 21, 1, MASKING)
    })
  }
  for (const [op] of entriesOf(compareOps)) {
    section(`${op} mask`, (c) => {
      for (const bytes of WIDTHS) {
        for (const [dst, a, b] of REGISTERS) c.compareToMask(op, bytes, dst & 7, a, b, dst & 7)
        c.compareToMask(op, bytes, 2, 9, place(), 4)
        c.compareToMask(op, bytes, 7, 25, place(), 1, true)
        c.compareToMask(op, bytes, 1, 25, 3, 2, false, 5)
      }
      const predicates = op.startsWith('vcmp') ? 32 : 8
      for (let p = 0; p < predicates; p++) c.compareToMask(op, 64, 1, 2, 3, p)
    })
  }
  for (const [op] of entriesOf(testOps)) {
    section(op, (c) => {
      for (const bytes of WIDTHS) {
        for (const [dst, a, b] of REGISTERS) c.testToMask(op, bytes, dst & 7, a, b)
        c.testToMask(op, bytes, 2, 9, place())
        c.testToMask(op, bytes, 7, 25, place(), true)
        c.testToMask(op, bytes, 1, 25, 3, false, 5)
      }
    })
  }
  section('scalar moves', (c) => scalarMoves(c, place))
  section('gather and scatter', gathers)
  section('vex lanes', (c) => vexLanes(c, place))
  section('masks', (c) => masks(c, place))
  section('vector addresses', vectorAddresses)
  section('general', (c) => general(c, place))
  section('general immediates', (c) => generalImmediates(c, place))
  section('general addresses', generalAddresses)
  section('plain', plain)
  section('jumps', jumps)
  section('constants', constants)
  return sections
}

type EmitVector = (
  bytes: Bytes,
  dst: number,
  a: number,
  b: number | Mem,
  masking: { k: number; zero: boolean } | null,
  broadcast: boolean,
) => void

/** The forms an entry of the tables allows. */
function vectorForms(entry: number, place: () => Mem, emit: EmitVector): void {
  for (const bytes of WIDTHS) {
    if (((entry >> 20) & (bytes >> 4)) === 0) continue
    const high = (entry & EVEX) !== 0
    for (const [dst, a, b] of REGISTERS) {
      if (!high && (dst > 15 || a > 15 || b > 15)) continue
      if ((entry & MEMORY_ONLY) === 0) emit(bytes, dst, a, b, null, false)
      if ((entry & REGISTER_ONLY) === 0) emit(bytes, dst, a, place(), null, false)
    }
    if (!high) continue
    if (canBroadcast(entry)) {
      emit(bytes, 1, 2, place(), null, true)
      emit(bytes, 25, 18, place(), ZEROING, true)
    }
    if ((entry & UNMASKED) !== 0) continue
    if ((entry & MEMORY_ONLY) === 0) {
      emit(bytes, 9, 2, 3, MASKING, false)
      emit(bytes, 17, 9, 30, ZEROING, false)
    }
    if ((entry & REGISTER_ONLY) === 0) emit(bytes, 30, 17, place(), MASKING, false)
  }
}

function storeForms(c: Assembler, op: keyof typeof storeOps, entry: number, place: () => Mem): void {
  for (const bytes of WIDTHS) {
    if (((entry >> 20) & (bytes >> 4)) === 0) continue
    for (const src of [1, 9, 17, 30]) c.store(op, bytes, place(), src)
    if ((entry & UNMASKED) === 0) c.store(op, bytes, place(), 9, 2)
  }
}

function scalarMoves(c: Assembler, place: () => Mem): void {
  for (const op of ['vmovss', 'vmovsd', 'vmovd', 'vmovq'] as const) {
    for (const v of [1, 9, 17, 30]) {
      c.scalarLoad(op, v, place())
      c.scalarStore(op, place(), v)
    }
  }
  for (const op of ['vmovss', 'vmovsd'] as const) {
    c.scalarLoad(op, 9, place(), MASKING)
    c.scalarLoad(op, 17, place(), ZEROING)
    c.scalarStore(op, place(), 1, 4)
  }
  for (const v of [1, 9, 17, 30]) {
    for (const gp of [0, 5, 12]) {
      c.vmovd(v, gp)
      c.vmovdToGp(gp, v)
      c.vmovq(v, gp)
      c.vmovqToGp(gp, v)
      for (const bytes of WIDTHS) c.broadcastGp(bytes, v, gp)
    }
  }
  c.broadcastGp(64, 9, 3, ZEROING)
}

function gathers(c: Assembler): void {
  const scales: readonly Scale[] = [1, 2, 4, 8]
  for (const bytes of WIDTHS) {
    for (const [dst, index] of [
      [1, 2],
      [9, 4],
      [17, 12],
      [30, 20],
      [2, 28],
    ] as const) {
      for (const base of [0, 5, 12]) {
        const scale = scales[(dst + base) & 3] as Scale
        const disp = [0, 8, -512, 1000, 3][(dst + base) % 5] as number
        c.gather(bytes, dst, base, index, scale, disp, 1 + (dst & 3))
        c.scatter(bytes, base, index, scale, disp, dst, 7 - (dst & 3))
        if (bytes !== 64 && dst < 16 && index < 16) c.gatherVector(bytes, dst, base, index, scale, disp, 14)
      }
    }
  }
}

function vexLanes(c: Assembler, place: () => Mem): void {
  for (const bytes of VEX_WIDTHS) {
    for (const [dst, a, b] of [
      [1, 2, 3],
      [9, 1, 10],
      [2, 11, 14],
    ] as const) {
      c.maskLoad(bytes, dst, a, place())
      c.maskStore(bytes, place(), a, b)
      c.compareVector(bytes, dst, a, b, dst)
      c.compareVector(bytes, dst, a, place(), 13)
      c.blendv(bytes, dst, a, b, 15 - dst)
      c.blendv(bytes, dst, a, place(), dst)
      c.vmovmskps(bytes, a, b)
    }
    for (let predicate = 0; predicate < 32; predicate++) c.compareVector(bytes, 1, 2, 3, predicate)
  }
}

function masks(c: Assembler, place: () => Mem): void {
  for (const [k, a, b] of [
    [1, 2, 3],
    [7, 0, 5],
    [0, 7, 6],
  ] as const) {
    for (const op of ['kandw', 'kandnw', 'korw', 'kxorw', 'kxnorw', 'kunpckbw'] as const) c.mask(op, k, a, b)
    c.knotw(k, a)
    c.kortestw(k, a)
    c.kmovwMask(k, b)
    c.kmovwLoad(k, place())
    c.kmovwStore(place(), k)
    c.kshiftlw(k, a, b)
    c.kshiftrw(k, a, 15)
    for (const gp of [0, 5, 12]) {
      c.kmovw(k, gp)
      c.kmovwToGp(gp, k)
    }
    for (const bytes of WIDTHS) {
      for (const v of [1, 9, 17, 30]) {
        c.vpmovm2d(bytes, v, k)
        c.vpmovd2m(bytes, k, v)
      }
    }
  }
}

/** Displacements around the edges of disp8, disp8·N and disp32. */
const DISPLACEMENTS = [
  0, 1, 4, 60, 64, 127, 128, -128, -129, 508, 512, 2032, 4064, 8128, 8192, -8192, -8256, 0x7fffffc0,
]

function vectorAddresses(c: Assembler): void {
  for (const disp of DISPLACEMENTS) {
    for (const base of [0, 4, 13]) {
      const m = at(base, disp)
      c.vector('vaddps', 16, 1, 2, m)
      c.vector('vaddps', 16, 17, 2, m)
      c.vector('vaddps', 32, 17, 2, m)
      c.vector('vaddps', 64, 1, 2, m)
      c.vectorBroadcast('vaddps', 64, 1, 2, m)
      c.vectorBroadcast('vaddpd', 64, 1, 2, m)
      c.move('vbroadcastss', 64, 1, m)
      c.move('vbroadcastf32x4', 64, 1, m)
      c.move('vexpandps', 64, 1, m)
      c.move('vpmovzxbd', 64, 1, m)
      c.move('vcvtps2pd', 64, 1, m)
      c.move('vmovddup', 16, 17, m)
    }
  }
  for (const base of GENERAL) {
    for (const index of [0, 5, 12, 13]) {
      for (const op of ['vmulps', 'vfmadd231ps'] as const) {
        c.vector(op, 32, 1, 2, indexed(base, index, 4, 4))
        c.vector(op, 64, 25, 9, indexed(base, index, 8, 0))
      }
    }
  }
}

function entriesOf<K extends string>(table: Record<K, number>): [K, number][] {
  return Object.entries(table) as [K, number][]
}
