/** Who agrees with whom in a project, and what they disagree about. */
import { UserError } from '../errors.ts'
import type { Project } from '../project/project.ts'
import { fleissKappa, krippendorffAlpha, pairAgreement } from './agreement.ts'
import { type ProjectVotes, projectVotes } from './project-votes.ts'
import { byExample } from './votes.ts'

/** Two labelers who have examples in common. */
export interface LabelerPair {
  readonly a: string
  readonly b: string
  /** Examples that both labelled. */
  readonly shared: number
  /** The share of these on which they say the same. */
  readonly agreed: number
  /** Cohen's kappa; NaN where they leave nothing to tell by, null for numbers. */
  readonly kappa: number | null
  /** Mean |a − b|; null for classes. */
  readonly difference: number | null
  /** What they most often differ in: a's word, b's, and how often; null where they never do, or for numbers. */
  readonly mostly: { readonly a: string; readonly b: string; readonly count: number } | null
}

export interface ProjectAgreement {
  readonly task: 'class' | 'number'
  readonly labelers: ProjectVotes['labelers']
  readonly examples: number
  /** Examples with two labels or more. */
  readonly shared: number
  /** Of these, those on which not all say the same. */
  readonly disputed: number
  /** Null for numbers. */
  readonly fleiss: number | null
  /** Nominal for classes, interval for numbers. */
  readonly krippendorff: number
  /** The least agreement first. */
  readonly pairs: readonly LabelerPair[]
}

/** @throws {UserError} where no two labelers have an example in common */
export async function projectAgreement(project: Project): Promise<ProjectAgreement> {
  const all = await projectVotes(project)
  const { task, votes, labelers, classes, examples } = all
  const groups = votesByExample(all)
  const several = groups.filter((votes) => votes.length > 1)
  if (several.length === 0) {
    throw new UserError(
      labelers.length < 2
        ? `There ${labelers.length === 0 ? 'are no labels' : `is one labeler, ${labelers[0]?.name}`}: agreement needs two or more. \`descent label --as NAME --again\` gives second opinions.`
        : 'No example was labelled by two: `descent label --as NAME --again` gives second opinions.',
    )
  }
  const pairs = pairsOf(all, several)
  return {
    task,
    labelers,
    examples: examples.length,
    shared: several.length,
    disputed: several.filter((votes) => new Set(votes.map(({ value }) => value)).size > 1).length,
    fleiss: task === 'class' ? fleissKappa(votes, classes.length) : null,
    krippendorff: krippendorffAlpha(votes, task === 'class' ? 'nominal' : 'interval'),
    pairs: pairs.sort((x, y) => orderOf(x) - orderOf(y)),
  }
}

interface Vote {
  readonly labeler: number
  readonly value: number
}

function votesByExample({ votes }: ProjectVotes): Vote[][] {
  const { start, rows } = byExample(votes)
  return Array.from({ length: votes.examples }, (_, i) =>
    Array.from(rows.subarray(start[i], start[i + 1]), (row) => ({
      labeler: votes.labeler[row] as number,
      value: votes.value[row] as number,
    })),
  )
}

function pairsOf({ task, votes, labelers, classes }: ProjectVotes, several: readonly (readonly Vote[])[]) {
  const matrix = task === 'class' ? pairAgreement(votes, classes.length) : null
  const pairs: LabelerPair[] = []
  for (let a = 0; a < labelers.length; a++) {
    for (let b = a + 1; b < labelers.length; b++) {
      const both = several.flatMap((own) => {
        const [x, y] = [a, b].map((l) => own.find(({ labeler }) => labeler === l)?.value)
        return x === undefined || y === undefined ? [] : [[x, y] as const]
      })
      if (both.length === 0) continue
      const apart = both.reduce((sum, [x, y]) => sum + Math.abs(x - y), 0)
      pairs.push({
        a: labelers[a]?.name as string,
        b: labelers[b]?.name as string,
        shared: both.length,
        agreed: both.filter(([x, y]) => x === y).length / both.length,
        kappa: matrix?.[a]?.[b]?.kappa ?? null,
        difference: task === 'number' ? apart / both.length : null,
        mostly: task === 'class' ? mostOften(both, classes.map(String)) : null,
      })
    }
  }
  return pairs
}

function mostOften(both: readonly (readonly [number, number])[], classes: readonly string[]): LabelerPair['mostly'] {
  const unequal = both.filter(([x, y]) => x !== y)
  const groups = [...Map.groupBy(unequal, ([x, y]) => `${x} ${y}`).values()]
  const [most] = groups.sort((p, q) => q.length - p.length)
  const [pair] = most ?? []
  return most && pair ? { a: classes[pair[0]] as string, b: classes[pair[1]] as string, count: most.length } : null
}

/** Kappa where there is one, else the share that agrees, else the difference. */
function orderOf({ kappa, agreed, difference }: LabelerPair): number {
  if (difference !== null) return -difference
  return kappa === null || Number.isNaN(kappa) ? agreed : kappa
}
