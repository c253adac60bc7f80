/**
 * What run.ts and a contender's process say to each other, one JSON object a line: `prepare` a workload, then `run`
 * it for a while and give the times. The Python contenders speak the same (peers/contender.py).
 */
export type Request = { readonly prepare: string; readonly threads: number } | { readonly run: Turn }

export interface Turn {
  readonly ms: number
  readonly least: number
  readonly most: number
}

export type Reply =
  | { readonly ready: true; readonly threads: number }
  | { readonly cannot: string }
  | { readonly times: readonly number[] }
