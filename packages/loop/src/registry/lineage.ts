/** Where a version comes from: enough to train it again, and to find everything behind it. */
import type { Run } from '../training/run.ts'
import type { Snapshot } from '../versioning/snapshot.ts'

export interface Lineage {
  readonly run: number
  readonly recipe: { readonly name: string; readonly hash: string }
  readonly snapshot: { readonly number: number; readonly hash: string }
  readonly seed: number
  /** The commit of the project's folder when it was trained; `+` after it: files had changed since. Null outside of git. */
  readonly commit: string | null
  readonly trainedAt: string | null
  readonly device: string
  readonly descent: string
  readonly node: string
  /** The run that this one accompanies, or continues. */
  readonly parent: number | null
}

export function lineageOf(run: Run, snapshot: Snapshot): Lineage {
  return {
    run: run.number,
    recipe: { name: run.name, hash: run.recipeHash },
    snapshot: { number: snapshot.number, hash: snapshot.hash },
    seed: run.seed,
    commit: run.environment.commit,
    trainedAt: run.finishedAt,
    device: run.device,
    descent: run.environment.descent,
    node: run.environment.node,
    parent: run.parent,
  }
}
