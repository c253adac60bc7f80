/** The config that `descent init` writes: the settings that people change first, with comments. */
import type { Kind } from './config.ts'

export function configTemplate(kind: Kind): string {
  return `// What Descent should know about this project. All settings but \`kind\` may be left out.
import type { Config } from '@descent/loop'

export default {
  kind: '${kind}',
${kindSettings(kind)}
  // The label set: labels outside of it are refused. Left out: every label seen is a class.
  // classes: ['yes', 'no'],

  // Shares of examples to validate and to test with. Also: stratify, group, time, seed.
  split: { validation: 0.15, test: 0.15 },

  // Crisp rules: labelers whose accuracy is estimated like a person's (\`descent labels rules\`).
  // rules: { ${rule(kind)} },

  // A recipe of your own, in place of the default one for this kind (\`descent architecture\` prints it).
  // recipe: 'recipe.ts',

  // How \`descent serve\` behaves. Also: host, window, maxBatch, queue, maxBodyMegabytes, timeoutSeconds, requireToken, challenger, log.
  // serve: { port: 8080, randomShare: 0.05, keepDays: 90, keepMegabytes: 2048 },

  // What a new model must hold to become champion (\`descent promote\`): how much worse it may be, in all and in a slice, how
  // slow (milliseconds) and how large (bytes); and whether \`descent loop\` promotes what passes without asking.
  // gate: { margin: 0.02, sliceMargin: 0.05, latency: 20, bytes: 50e6, autoPromote: false },
} satisfies Config
`
}

function kindSettings(kind: Kind): string {
  switch (kind) {
    case 'tabular':
      return `
  // The column that is predicted (also: \`descent import --target\`).
  // target: 'species',

  // Columns whose type was inferred wrongly: number, category, text, date, boolean, or ignore to leave one out.
  // columns: { zip: 'category', id: 'ignore' },
`
    case 'image':
      return `
  // All images are brought to this size, in pixels. Left out: the size of the first one.
  // image: { width: 28, height: 28, channels: 1 },
`
    case 'text':
      return `
  // The column of CSV or JSON Lines that holds the label (text files take it from their folder).
  // target: 'category',
`
    default:
      return kind satisfies never
  }
}

function rule(kind: Kind): string {
  switch (kind) {
    case 'tabular':
      return "tall: (example) => (example.kind === 'row' && Number(example.values.height) > 200 ? 'yes' : null)"
    case 'image':
      return "dark: (example) => (example.kind === 'image' && example.pixels.every((p) => p < 50) ? 'night' : null)"
    case 'text':
      return "lottery: (example) => (example.kind === 'text' && /lottery/i.test(example.text) ? 'spam' : null)"
    default:
      return kind satisfies never
  }
}
