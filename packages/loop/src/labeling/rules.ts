/**
 * Labeling functions: the config's rules, each a labeler named `rule:…` whose word is a label event like any other. Applied
 * again, a rule's changed opinion replaces its old one.
 */
import { UserError } from '../errors.ts'
import { StoppedError, type Work } from '../progress.ts'
import type { RuleInput } from '../project/config.ts'
import type { Project } from '../project/project.ts'
import type { Content } from '../store/content.ts'
import { readExamples } from '../store/examples.ts'
import { decodePixels } from '../store/pixels.ts'
import { addLabeler, appendLabel, type LabelValue, presentEvents } from './events.ts'
import { checkLabel, labelSet } from './label-set.ts'

export interface RuleResult {
  readonly rule: string
  /** Examples that it has an opinion on. */
  readonly covered: number
  readonly total: number
  readonly labels: Readonly<Record<string, number>>
  /** Where a person or a file has labelled the example too: how often the rule says the same; null where never. */
  readonly agrees: { readonly same: number; readonly compared: number } | null
}

/**
 * Asks every rule about every example.
 * @throws {UserError} where there are no rules, a rule throws, or gives a label outside of the set
 */
export async function applyRules(project: Project, { onProgress, signal }: Work = {}): Promise<RuleResult[]> {
  const { store, config } = project
  const rules = Object.entries(config.rules ?? {})
  if (rules.length === 0) throw new UserError('The config has no rules: add some under `rules` in descent.config.ts.')
  const set = await labelSet(project)
  const numbers = (await store.db.selectFrom('example').select('number').orderBy('number').execute()).map(
    (row) => row.number,
  )
  const said = new Map(rules.map(([name]) => [name, new Map<number, LabelValue>()]))
  let done = 0
  for await (const { number, id, content } of readExamples(store, numbers)) {
    if (signal?.aborted) throw new StoppedError('Stopped: no rule was applied.')
    const input = await ruleInput(content)
    for (const [name, rule] of rules) {
      const value = ask(name, id, () => rule(input))
      if (value === null || value === undefined) continue
      try {
        said.get(name)?.set(number, checkLabel(set, String(value)))
      } catch (error) {
        throw new UserError(`The rule '${name}' on example ${id.slice(0, 12)}: ${(error as Error).message}`)
      }
    }
    onProgress?.({ what: 'applying rules', done: ++done, total: numbers.length, unit: 'examples' })
  }
  const events = await presentEvents(store)
  const others = new Map(
    events.flatMap(({ kind, example, value }) => (kind === 'person' || kind === 'file' ? [[example, value]] : [])),
  )
  return store.transaction(async (db) => {
    const results: RuleResult[] = []
    for (const [name, opinions] of said) {
      const labeler = `rule:${name}`
      await addLabeler(db, labeler, 'rule')
      const old = events.filter((event) => event.labeler === labeler)
      const kept = new Set<number>()
      const at = new Date().toISOString()
      for (const { number, example, value } of old) {
        const now = opinions.get(example)
        if (now !== undefined && JSON.stringify(now) === value) kept.add(example)
        else await db.insertInto('label').values({ example, labeler, value: null, at, undoes: number }).execute()
      }
      const labels: Record<string, number> = {}
      let [same, compared] = [0, 0]
      for (const [example, value] of opinions) {
        if (!kept.has(example)) appendLabel(store, { example, value, labeler, at })
        labels[String(value)] = (labels[String(value)] ?? 0) + 1
        const other = others.get(example)
        if (other === undefined) continue
        compared++
        if (other === JSON.stringify(value)) same++
      }
      const agrees = compared > 0 ? { same, compared } : null
      results.push({ rule: name, covered: opinions.size, total: numbers.length, labels, agrees })
    }
    return results
  })
}

function ask(name: string, id: string, rule: () => LabelValue | null): LabelValue | null {
  try {
    return rule()
  } catch (error) {
    throw new UserError(
      `The rule '${name}' threw on example ${id.slice(0, 12)}: ${(error as Error).message}. No rule was applied.`,
    )
  }
}

async function ruleInput(content: Content): Promise<RuleInput> {
  if (content.kind !== 'image') return content
  const { width, height, bytes } = await decodePixels(content)
  return { kind: 'image', width, height, pixels: bytes }
}
