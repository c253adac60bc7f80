/** WebAssembly opcodes by the names of the text format, in the order of their codes. */

/** The words of a text, without numbers. */
type Words<Text extends string, Before = never> = Text extends `${infer Word} ${infer Rest}`
  ? Words<Rest, Before | Word>
  : Exclude<Before | Text, `${number}`>

/** Consecutive codes from `first`; a number skips so many. */
function codes<const Names extends string>(first: number, names: Names): Record<Words<Names>, number> {
  const table: Record<string, number> = {}
  let code = first
  for (const name of names.split(' ')) {
    if (Number(name)) code += Number(name)
    else table[name] = code++
  }
  return table as Record<Words<Names>, number>
}

const ordered = 'eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u'
const compared = 'eq ne lt gt le ge'

function whole(comparisons: number, arithmetic: number) {
  return {
    ...codes(comparisons, `eqz ${ordered}`),
    ...codes(arithmetic, 'clz ctz popcnt add sub mul div_s div_u rem_s rem_u and or xor shl shr_s shr_u rotl rotr'),
  }
}
export const i32 = /* @__PURE__ */ whole(0x45, 0x67)
export const i64 = /* @__PURE__ */ whole(0x50, 0x79)

function float(comparisons: number, arithmetic: number) {
  return {
    ...codes(comparisons, compared),
    ...codes(arithmetic, 'abs neg ceil floor trunc nearest sqrt add sub mul div min max copysign'),
  }
}
export const f32 = /* @__PURE__ */ float(0x5b, 0x8b)
export const f64 = /* @__PURE__ */ float(0x61, 0x99)

export const conversion = /* @__PURE__ */ codes(
  0xa7,
  'i32.wrap_i64 4 i64.extend_i32_s i64.extend_i32_u 4 f32.convert_i32_s f32.convert_i32_u 2 f32.demote_f64 f64.convert_i32_s f64.convert_i32_u 2 f64.promote_f32 i32.reinterpret_f32 i64.reinterpret_f64 f32.reinterpret_i32 f64.reinterpret_i64',
)

export const load = /* @__PURE__ */ codes(
  0x28,
  'i32.load i64.load f32.load f64.load i32.load8_s i32.load8_u i32.load16_s i32.load16_u',
)
export const store = /* @__PURE__ */ codes(0x36, 'i32.store i64.store f32.store f64.store i32.store8 i32.store16')

/** After prefix 0xfe. */
export const atomic = {
  'memory.atomic.notify': 0x00,
  'memory.atomic.wait32': 0x01,
  'i32.atomic.load': 0x10,
  'i32.atomic.store': 0x17,
  'i32.atomic.rmw.add': 0x1e,
  'i32.atomic.rmw.sub': 0x25,
  'i32.atomic.rmw.and': 0x2c,
  'i32.atomic.rmw.or': 0x33,
  'i32.atomic.rmw.xor': 0x3a,
  'i32.atomic.rmw.xchg': 0x41,
  'i32.atomic.rmw.cmpxchg': 0x48,
}

/** All that follow stand after prefix 0xfd. */
export const vectorLoad = /* @__PURE__ */ codes(
  0,
  'v128.load v128.load8x8_s v128.load8x8_u v128.load16x4_s v128.load16x4_u v128.load32x2_s v128.load32x2_u v128.load8_splat v128.load16_splat v128.load32_splat v128.load64_splat 81 v128.load32_zero v128.load64_zero',
)
export const laneAccess = /* @__PURE__ */ codes(
  84,
  'v128.load8_lane v128.load16_lane v128.load32_lane v128.load64_lane v128.store8_lane v128.store16_lane v128.store32_lane v128.store64_lane',
)
export const laneValue = /* @__PURE__ */ codes(
  21,
  'i8x16.extract_lane_s i8x16.extract_lane_u i8x16.replace_lane i16x8.extract_lane_s i16x8.extract_lane_u i16x8.replace_lane i32x4.extract_lane i32x4.replace_lane i64x2.extract_lane i64x2.replace_lane f32x4.extract_lane f32x4.replace_lane f64x2.extract_lane f64x2.replace_lane',
)
export const v128 = /* @__PURE__ */ codes(77, 'not and andnot or xor bitselect any_true')
export const i32x4 = {
  splat: 17,
  ...codes(55, ordered),
  ...codes(160, 'abs neg 1 all_true bitmask 6 shl shr_s shr_u add 2 sub 3 mul min_s min_u max_s max_u'),
  ...codes(248, 'trunc_sat_f32x4_s trunc_sat_f32x4_u 2 trunc_sat_f64x2_s_zero trunc_sat_f64x2_u_zero'),
  relaxed_trunc_f32x4_s: 0x101,
  relaxed_laneselect: 0x10b,
}
export const i64x2 = {
  splat: 18,
  ...codes(
    192,
    'abs neg 1 all_true bitmask 2 extend_low_i32x4_s extend_high_i32x4_s extend_low_i32x4_u extend_high_i32x4_u shl shr_s shr_u add 2 sub 3 mul eq ne lt_s gt_s le_s ge_s extmul_low_i32x4_s extmul_high_i32x4_s extmul_low_i32x4_u extmul_high_i32x4_u',
  ),
}

function floatLanes(comparisons: number, arithmetic: number) {
  return {
    ...codes(comparisons, compared),
    ...codes(arithmetic, 'abs neg 1 sqrt add sub mul div min max pmin pmax'),
  }
}
export const f32x4 = {
  splat: 19,
  ...floatLanes(65, 224),
  ...codes(103, 'ceil floor trunc nearest'),
  ...codes(250, 'convert_i32x4_s convert_i32x4_u'),
  demote_f64x2_zero: 94,
  relaxed_madd: 0x105,
  relaxed_nmadd: 0x106,
  relaxed_min: 0x10d,
  relaxed_max: 0x10e,
}
export const f64x2 = {
  splat: 20,
  ...floatLanes(71, 236),
  ...codes(254, 'convert_low_i32x4_s convert_low_i32x4_u'),
  promote_low_f32x4: 95,
  relaxed_madd: 0x107,
  relaxed_nmadd: 0x108,
}
