/** What a machine can do at most, see x64/limits.ts and wasm/limits.ts. */
export interface Limits {
  readonly threads: number
  /** Floating-point operations a second, two for a multiply-add. */
  readonly flops: number
  /** Bytes a second. */
  readonly bytes: number
}
