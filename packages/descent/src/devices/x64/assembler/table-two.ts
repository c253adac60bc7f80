/**
 * Vector instructions of two operands: loads and conversions (`MoveOp`), the same with an immediate (`MoveImmOp`),
 * shifts by an immediate (`ShiftOp`), stores (`StoreOp`), extraction of a part (`ExtractOp`), and the tests that
 * write a mask register. Entries are explained in `entry.ts`.
 */

import {
  BOTH,
  BYTES8,
  BYTES16,
  BYTES32,
  DUPLICATE,
  digit,
  ELEMENT,
  EVEX,
  EW,
  FULL,
  HALF,
  HALF_WHOLE,
  M0F,
  M3A,
  M38,
  MEMORY_ONLY,
  NARROWS,
  ONE,
  P66,
  PF2,
  PF3,
  QUARTER,
  REGISTER_ONLY,
  SWAPPED,
  UNMASKED,
  VEX,
  W,
  WHOLE,
  X,
  XY,
  XYZ,
  Y,
  YZ,
  Z,
} from './entry.ts'

const PLAIN = BOTH | M0F | XYZ
const PART = BOTH | P66 | M38 | XYZ
const VEX_ONLY = VEX | UNMASKED | XY
const NEW_38 = EVEX | P66 | M38 | XYZ

export const moveOps = {
  vmovups: PLAIN | WHOLE | 0x10,
  vmovaps: PLAIN | WHOLE | 0x28,
  vmovupd: PLAIN | WHOLE | P66 | EW | 0x10,
  vmovapd: PLAIN | WHOLE | P66 | EW | 0x28,
  /** vmovdqu32 and vmovdqa32 where an EVEX prefix is needed. */
  vmovdqu: PLAIN | WHOLE | PF3 | 0x6f,
  vmovdqa: PLAIN | WHOLE | P66 | 0x6f,
  vmovdqu8: EVEX | M0F | XYZ | WHOLE | PF2 | 0x6f,
  vmovshdup: PLAIN | WHOLE | PF3 | 0x16,
  vmovsldup: PLAIN | WHOLE | PF3 | 0x12,
  vmovddup: PLAIN | DUPLICATE | PF2 | EW | 0x12,
  vsqrtps: PLAIN | FULL | 0x51,
  vsqrtpd: PLAIN | FULL | P66 | EW | 0x51,
  vrsqrtps: VEX_ONLY | M0F | WHOLE | 0x52,
  vrcpps: VEX_ONLY | M0F | WHOLE | 0x53,
  vrsqrt14ps: NEW_38 | FULL | 0x4e,
  vrcp14ps: NEW_38 | FULL | 0x4c,
  vgetexpps: NEW_38 | FULL | 0x42,
  vplzcntd: NEW_38 | FULL | 0x44,
  vcvtdq2ps: PLAIN | FULL | 0x5b,
  vcvttps2dq: PLAIN | FULL | PF3 | 0x5b,
  vcvtps2dq: PLAIN | FULL | P66 | 0x5b,
  vcvttps2udq: EVEX | M0F | XYZ | FULL | 0x78,
  vcvtudq2ps: EVEX | M0F | XYZ | FULL | PF2 | 0x7a,
  vcvtps2pd: PLAIN | HALF | 0x5a,
  vcvtpd2ps: PLAIN | FULL | P66 | EW | NARROWS | 0x5a,
  vcvtdq2pd: PLAIN | HALF | PF3 | 0xe6,
  vcvttpd2dq: PLAIN | FULL | P66 | EW | NARROWS | 0xe6,
  vcvtph2ps: PART | HALF_WHOLE | 0x13,
  vpabsd: PART | FULL | 0x1e,
  vpmovzxbd: PART | QUARTER | 0x31,
  vpmovsxbd: PART | QUARTER | 0x21,
  vpmovzxwd: PART | HALF_WHOLE | 0x33,
  vpmovsxwd: PART | HALF_WHOLE | 0x23,
  vpmovzxdq: PART | HALF_WHOLE | 0x35,
  vpmovsxdq: PART | HALF_WHOLE | 0x25,
  vbroadcastss: PART | ONE | 0x18,
  vbroadcastsd: (PART & ~X) | ONE | EW | 0x19,
  vpbroadcastd: PART | ONE | 0x58,
  vpbroadcastq: PART | ONE | EW | 0x59,
  vbroadcastf128: VEX | P66 | M38 | Y | BYTES16 | MEMORY_ONLY | UNMASKED | 0x1a,
  vbroadcasti128: VEX | P66 | M38 | Y | BYTES16 | MEMORY_ONLY | UNMASKED | 0x5a,
  vbroadcastf32x2: EVEX | P66 | M38 | YZ | BYTES8 | 0x19,
  vbroadcastf32x4: EVEX | P66 | M38 | YZ | BYTES16 | MEMORY_ONLY | 0x1a,
  vbroadcasti32x4: EVEX | P66 | M38 | YZ | BYTES16 | MEMORY_ONLY | 0x5a,
  vbroadcastf32x8: EVEX | P66 | M38 | Z | BYTES32 | MEMORY_ONLY | 0x1b,
  vbroadcastf64x4: EVEX | EW | P66 | M38 | Z | BYTES32 | MEMORY_ONLY | 0x1b,
  vexpandps: NEW_38 | ELEMENT | 0x88,
  vpexpandd: NEW_38 | ELEMENT | 0x89,
  vcompressps: NEW_38 | ELEMENT | SWAPPED | REGISTER_ONLY | 0x8a,
  vpcompressd: NEW_38 | ELEMENT | SWAPPED | REGISTER_ONLY | 0x8b,
  /** Sets the flags ZF and CF, writes neither operand. */
  vptest: VEX_ONLY | P66 | M38 | WHOLE | 0x17,
  vtestps: VEX_ONLY | P66 | M38 | WHOLE | 0x0e,
} as const satisfies Record<string, number>

export type MoveOp = keyof typeof moveOps

export const moveImmOps = {
  vrndscaleps: EVEX | P66 | M3A | XYZ | FULL | 0x08,
  vrndscalepd: EVEX | EW | P66 | M3A | XYZ | FULL | 0x09,
  vroundps: VEX_ONLY | P66 | M3A | WHOLE | 0x08,
  vroundpd: VEX_ONLY | P66 | M3A | WHOLE | 0x09,
  vreduceps: EVEX | P66 | M3A | XYZ | FULL | 0x56,
  vgetmantps: EVEX | P66 | M3A | XYZ | FULL | 0x26,
  vpermilps: BOTH | P66 | M3A | XYZ | FULL | 0x04,
  vpshufd: BOTH | P66 | M0F | XYZ | FULL | 0x70,
  vpermpd: BOTH | W | P66 | M3A | YZ | FULL | 0x01,
  vpermq: BOTH | W | P66 | M3A | YZ | FULL | 0x00,
} as const satisfies Record<string, number>

export type MoveImmOp = keyof typeof moveImmOps

const SHIFT = BOTH | P66 | M0F | XYZ | FULL | REGISTER_ONLY

export const shiftOps = {
  vpslld: SHIFT | digit(6) | 0x72,
  vpsrld: SHIFT | digit(2) | 0x72,
  vpsrad: SHIFT | digit(4) | 0x72,
  vpsllq: SHIFT | EW | digit(6) | 0x73,
  vpsrlq: SHIFT | EW | digit(2) | 0x73,
  vprold: (SHIFT & ~VEX) | digit(1) | 0x72,
  vprord: (SHIFT & ~VEX) | digit(0) | 0x72,
} as const satisfies Record<string, number>

export type ShiftOp = keyof typeof shiftOps

export const storeOps = {
  vmovups: PLAIN | WHOLE | 0x11,
  vmovaps: PLAIN | WHOLE | 0x29,
  vmovupd: PLAIN | WHOLE | P66 | EW | 0x11,
  vmovdqu: PLAIN | WHOLE | PF3 | 0x7f,
  vmovdqa: PLAIN | WHOLE | P66 | 0x7f,
  vmovdqu8: EVEX | M0F | XYZ | WHOLE | PF2 | 0x7f,
  vmovntps: PLAIN | WHOLE | UNMASKED | 0x2b,
  vcompressps: NEW_38 | ELEMENT | 0x8a,
  vpcompressd: NEW_38 | ELEMENT | 0x8b,
  vmovlps: BOTH | M0F | X | BYTES8 | UNMASKED | 0x13,
  vmovhps: BOTH | M0F | X | BYTES8 | UNMASKED | 0x17,
  vpmovdb: EVEX | PF3 | M38 | XYZ | QUARTER | 0x31,
} as const satisfies Record<string, number>

export type StoreOp = keyof typeof storeOps

/** The width is that of the source: ymm with VEX, zmm with EVEX. */
export const extractOps = {
  vextractf128: VEX | P66 | M3A | Y | BYTES16 | UNMASKED | 0x19,
  vextracti128: VEX | P66 | M3A | Y | BYTES16 | UNMASKED | 0x39,
  vextractf32x4: EVEX | P66 | M3A | Z | BYTES16 | 0x19,
  vextracti32x4: EVEX | P66 | M3A | Z | BYTES16 | 0x39,
  vextractf64x2: EVEX | EW | P66 | M3A | Z | BYTES16 | 0x19,
  vextractf32x8: EVEX | P66 | M3A | Z | BYTES32 | 0x1b,
  vextracti32x8: EVEX | P66 | M3A | Z | BYTES32 | 0x3b,
  vextractf64x4: EVEX | EW | P66 | M3A | Z | BYTES32 | 0x1b,
  vextracti64x4: EVEX | EW | P66 | M3A | Z | BYTES32 | 0x3b,
} as const satisfies Record<string, number>

export type ExtractOp = keyof typeof extractOps

/** Comparisons with a predicate that write a mask register (EVEX). */
export const compareOps = {
  vcmpps: EVEX | M0F | XYZ | FULL | 0xc2,
  vcmppd: EVEX | EW | P66 | M0F | XYZ | FULL | 0xc2,
  vpcmpd: EVEX | P66 | M3A | XYZ | FULL | 0x1f,
  vpcmpud: EVEX | P66 | M3A | XYZ | FULL | 0x1e,
} as const satisfies Record<string, number>

export type CompareOp = keyof typeof compareOps

/** Whether a and b have a bit in common (vptestmd) or none (vptestnmd), into a mask register (EVEX). */
export const testOps = {
  vptestmd: EVEX | P66 | M38 | XYZ | FULL | 0x27,
  vptestnmd: EVEX | PF3 | M38 | XYZ | FULL | 0x27,
} as const satisfies Record<string, number>

export type TestOp = keyof typeof testOps
