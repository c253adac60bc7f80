/** WebAssembly opcodes by the names of the text format, in the order of their codes. */

/** Consecutive codes from `first`; `_` skips one. */
function codes<const N extends string>(first: number, names: readonly N[]): Record<Exclude<N, '_'>, number> {
  const table: Record<string, number> = {}
  names.forEach((name, i) => {
    if (name !== '_') table[name] = first + i
  })
  return table as Record<Exclude<N, '_'>, number>
}

export const i32 = codes(0x45, [
  'eqz', 'eq', 'ne', 'lt_s', 'lt_u', 'gt_s', 'gt_u', 'le_s', 'le_u', 'ge_s', 'ge_u',
  '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_',
  'clz', 'ctz', 'popcnt', 'add', 'sub', 'mul', 'div_s', 'div_u', 'rem_s', 'rem_u',
  'and', 'or', 'xor', 'shl', 'shr_s', 'shr_u', 'rotl', 'rotr',
])

export const i64 = codes(0x50, [
  'eqz', 'eq', 'ne', 'lt_s', 'lt_u', 'gt_s', 'gt_u', 'le_s', 'le_u', 'ge_s', 'ge_u',
  '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_', '_',
  '_', '_', '_', '_', '_', '_',
  'clz', 'ctz', 'popcnt', 'add', 'sub', 'mul', 'div_s', 'div_u', 'rem_s', 'rem_u',
  'and', 'or', 'xor', 'shl', 'shr_s', 'shr_u', 'rotl', 'rotr',
])

export const f32 = {
  ...codes(0x5b, ['eq', 'ne', 'lt', 'gt', 'le', 'ge']),
  ...codes(0x8b, [
    'abs', 'neg', 'ceil', 'floor', 'trunc', 'nearest', 'sqrt', 'add', 'sub', 'mul', 'div', 'min', 'max', 'copysign',
  ]),
}

export const f64 = {
  ...codes(0x61, ['eq', 'ne', 'lt', 'gt', 'le', 'ge']),
  ...codes(0x99, [
    'abs', 'neg', 'ceil', 'floor', 'trunc', 'nearest', 'sqrt', 'add', 'sub', 'mul', 'div', 'min', 'max', 'copysign',
  ]),
}

export const conversion = codes(0xa7, [
  'i32.wrap_i64', '_', '_', '_', '_', 'i64.extend_i32_s', 'i64.extend_i32_u', '_', '_', '_', '_',
  'f32.convert_i32_s', 'f32.convert_i32_u', '_', '_', 'f32.demote_f64',
  'f64.convert_i32_s', 'f64.convert_i32_u', '_', '_', 'f64.promote_f32',
  'i32.reinterpret_f32', 'i64.reinterpret_f64', 'f32.reinterpret_i32', 'f64.reinterpret_i64',
])

export const load = {
  'i32.load': 0x28, 'i64.load': 0x29, 'f32.load': 0x2a, 'f64.load': 0x2b, 'i32.load8_s': 0x2c, 'i32.load8_u': 0x2d,
  'i32.load16_s': 0x2e, 'i32.load16_u': 0x2f,
}
export const store = {
  'i32.store': 0x36, 'i64.store': 0x37, 'f32.store': 0x38, 'f64.store': 0x39, 'i32.store8': 0x3a, 'i32.store16': 0x3b,
}

/** After prefix 0xfe. */
export const atomic = {
  'memory.atomic.notify': 0x00, 'memory.atomic.wait32': 0x01, 'i32.atomic.load': 0x10, 'i32.atomic.store': 0x17,
  'i32.atomic.rmw.add': 0x1e, 'i32.atomic.rmw.sub': 0x25, 'i32.atomic.rmw.and': 0x2c, 'i32.atomic.rmw.or': 0x33,
  'i32.atomic.rmw.xor': 0x3a, 'i32.atomic.rmw.xchg': 0x41, 'i32.atomic.rmw.cmpxchg': 0x48,
}

/** All that follow stand after prefix 0xfd. */
export const vectorLoad = {
  ...codes(0, [
    'v128.load', 'v128.load8x8_s', 'v128.load8x8_u', 'v128.load16x4_s', 'v128.load16x4_u', 'v128.load32x2_s',
    'v128.load32x2_u', 'v128.load8_splat', 'v128.load16_splat', 'v128.load32_splat', 'v128.load64_splat',
  ]),
  'v128.load32_zero': 92, 'v128.load64_zero': 93,
}
export const laneAccess = codes(84, [
  'v128.load8_lane', 'v128.load16_lane', 'v128.load32_lane', 'v128.load64_lane',
  'v128.store8_lane', 'v128.store16_lane', 'v128.store32_lane', 'v128.store64_lane',
])
export const laneValue = {
  ...codes(21, [
    'i8x16.extract_lane_s', 'i8x16.extract_lane_u', 'i8x16.replace_lane', 'i16x8.extract_lane_s',
    'i16x8.extract_lane_u', 'i16x8.replace_lane', 'i32x4.extract_lane', 'i32x4.replace_lane', 'i64x2.extract_lane',
    'i64x2.replace_lane', 'f32x4.extract_lane', 'f32x4.replace_lane', 'f64x2.extract_lane', 'f64x2.replace_lane',
  ]),
}
export const v128 = codes(77, ['not', 'and', 'andnot', 'or', 'xor', 'bitselect', 'any_true'])
export const i32x4 = {
  splat: 17,
  ...codes(55, ['eq', 'ne', 'lt_s', 'lt_u', 'gt_s', 'gt_u', 'le_s', 'le_u', 'ge_s', 'ge_u']),
  ...codes(160, ['abs', 'neg', '_', 'all_true', 'bitmask']),
  ...codes(171, ['shl', 'shr_s', 'shr_u', 'add', '_', '_', 'sub', '_', '_', '_', 'mul', 'min_s', 'min_u', 'max_s', 'max_u']),
  trunc_sat_f32x4_s: 248, trunc_sat_f32x4_u: 249, trunc_sat_f64x2_s_zero: 252, trunc_sat_f64x2_u_zero: 253,
  relaxed_trunc_f32x4_s: 0x101, relaxed_laneselect: 0x10b,
}
export const i64x2 = {
  splat: 18,
  ...codes(192, ['abs', 'neg', '_', 'all_true', 'bitmask', '_', '_']),
  ...codes(199, [
    'extend_low_i32x4_s', 'extend_high_i32x4_s', 'extend_low_i32x4_u', 'extend_high_i32x4_u', 'shl', 'shr_s', 'shr_u',
    'add', '_', '_', 'sub', '_', '_', '_', 'mul', 'eq', 'ne', 'lt_s', 'gt_s', 'le_s', 'ge_s',
    'extmul_low_i32x4_s', 'extmul_high_i32x4_s', 'extmul_low_i32x4_u', 'extmul_high_i32x4_u',
  ]),
}
export const f32x4 = {
  splat: 19,
  ...codes(65, ['eq', 'ne', 'lt', 'gt', 'le', 'ge']),
  ...codes(103, ['ceil', 'floor', 'trunc', 'nearest']),
  ...codes(224, ['abs', 'neg', '_', 'sqrt', 'add', 'sub', 'mul', 'div', 'min', 'max', 'pmin', 'pmax']),
  demote_f64x2_zero: 94, convert_i32x4_s: 250, convert_i32x4_u: 251,
  relaxed_madd: 0x105, relaxed_nmadd: 0x106, relaxed_min: 0x10d, relaxed_max: 0x10e,
}
export const f64x2 = {
  splat: 20,
  ...codes(71, ['eq', 'ne', 'lt', 'gt', 'le', 'ge']),
  ...codes(236, ['abs', 'neg', '_', 'sqrt', 'add', 'sub', 'mul', 'div', 'min', 'max', 'pmin', 'pmax']),
  promote_low_f32x4: 95, convert_low_i32x4_s: 254, convert_low_i32x4_u: 255, relaxed_madd: 0x107, relaxed_nmadd: 0x108,
}
