/**
 * Dawid and Skene against majority vote on simulated labelers, mean over seeds: `node bench/loop/consensus.ts [seeds]`.
 */
import { type Consensus, dawidSkene, majorityVote } from '../../packages/loop/src/labeling/consensus.ts'
import { type SimulatedLabeler, simulateLabelers } from '../../packages/loop/src/labeling/test-labelers.ts'

const seeds = Number(process.argv[2] ?? 20)
const alike = (skills: readonly number[], share: number): SimulatedLabeler[] =>
  skills.map((skill) => ({ skill, share }))
const even = (classes: number) => new Array<number>(classes).fill(1 / classes)

const crowds: Readonly<
  Record<string, { readonly labelers: SimulatedLabeler[]; readonly prior: number[]; readonly examples: number }>
> = {
  '2 experts, 5 who guess, 4 classes': {
    labelers: alike([0.95, 0.9, 0.55, 0.5, 0.45, 0.4, 0.4], 0.8),
    prior: even(4),
    examples: 500,
  },
  '7 of mixed skill, 10 classes': {
    labelers: alike([0.9, 0.85, 0.7, 0.6, 0.5, 0.4, 0.3], 0.7),
    prior: even(10),
    examples: 2000,
  },
  '20 of mixed skill, each sees a fifth': {
    labelers: alike(
      Array.from({ length: 20 }, (_, l) => 0.4 + 0.03 * l),
      0.2,
    ),
    prior: [0.5, 0.3, 0.2],
    examples: 1000,
  },
  '5 equally good (nothing to gain)': {
    labelers: alike([0.75, 0.75, 0.75, 0.75, 0.75], 1),
    prior: even(3),
    examples: 500,
  },
  '4 people, 6 rules that mostly abstain': {
    labelers: [...alike([0.85, 0.8, 0.7, 0.65], 0.5), ...alike([0.98, 0.95, 0.95, 0.9, 0.55, 0.5], 0.15)],
    prior: [0.8, 0.2],
    examples: 2000,
  },
  '1 turns the classes around, 4 do not': {
    labelers: [
      {
        skill: [
          [0.1, 0.9],
          [0.9, 0.1],
        ],
        share: 1,
      },
      ...alike([0.8, 0.75, 0.7, 0.7], 0.7),
    ],
    prior: even(2),
    examples: 500,
  },
}

const right = ({ consensus }: Consensus, truth: Int32Array) =>
  truth.reduce((sum, c, i) => sum + Number(consensus[i] === c), 0) / truth.length
const percent = (share: number) => `${(100 * share).toFixed(1)} %`

console.log(`Right answers, mean of ${seeds} seeds\n`)
console.log('| labelers | majority | Dawid and Skene | better on | iterations | error of estimated skills |')
console.log('|---|---|---|---|---|---|')
for (const [name, { labelers, ...settings }] of Object.entries(crowds)) {
  let [majority, model, wins, iterations, off] = [0, 0, 0, 0, 0]
  for (let seed = 1; seed <= seeds; seed++) {
    const { truth, votes } = simulateLabelers(labelers, { ...settings, seed })
    const classes = settings.prior.length
    const [a, found] = [right(majorityVote(votes, classes), truth), dawidSkene(votes, classes)]
    const b = right(found, truth)
    majority += a / seeds
    model += b / seeds
    wins += Number(b > a)
    iterations += found.iterations / seeds
    const errors = labelers.flatMap(({ skill }, l) =>
      typeof skill === 'number' ? [Math.abs(skill - (found.labelers[l]?.accuracy ?? 0))] : [],
    )
    off += errors.reduce((x, y) => x + y) / errors.length / seeds
  }
  console.log(
    `| ${name} | ${percent(majority)} | ${percent(model)} | ${wins} of ${seeds} | ${iterations.toFixed(0)} | ${(100 * off).toFixed(1)} points |`,
  )
}
