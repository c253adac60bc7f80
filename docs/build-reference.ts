/**
 * The reference as HTML: what packages/descent/src/index.ts exports, from its docstrings, with the pages and tutorials of
 * this folder beside it.
 *
 *   npm run docs          → docs/reference/index.html
 *
 * Any complaint of TypeDoc's is an error: a link that leads nowhere, an unknown tag, an example that is not closed.
 */
import { globSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Application, Logger, LogLevel, PageEvent } from 'typedoc'
import { categoryOrder } from './categories.ts'
import { Docstrings } from './docstrings.ts'

const root = fileURLToPath(new URL('..', import.meta.url))

/** The pages beside the reference, in the order of its sidebar. */
function pages(): string[] {
  const patterns = ['docs/tutorials/[0-9]*.md', 'docs/*.md', 'docs/losses/*.md', 'docs/tutorials/data/*.md']
  return patterns
    .flatMap((pattern) => globSync(pattern, { cwd: root }).sort())
    .filter((page) => page !== 'docs/README.md')
    .map((page) => root + page)
}

/** Links to sources, their folders and pages beside docs/, which are no part of the reference: their text stays. */
const SOURCE_LINK = /<a href="(?:[^"]*media\/[^"]*\.(?:ts|mjs|json|md)|\.\.\/[^"#]*\/[\w-]+)"[^>]*>(.*?)<\/a>/g

class Complaints extends Logger {
  readonly texts: string[] = []

  override log(message: string, level: LogLevel): void {
    // Of links to folders only the text stays.
    if (level >= LogLevel.Warn && !/is not a file and will not be copied/.test(message)) this.texts.push(message)
  }
}

export interface Reference {
  /** What TypeDoc has to say against it. */
  readonly complaints: readonly string[]
  /** Public names without a docstring, as `nn.Linear (nn/linear.ts)`. */
  readonly undocumented: readonly string[]
}

/** Builds the reference into a folder, which it replaces. */
export async function buildReference(out: string): Promise<Reference> {
  const logger = new Complaints()
  const app = await Application.bootstrap({
    entryPoints: [`${root}packages/descent/src/index.ts`],
    tsconfig: `${root}tsconfig.json`,
    // Types are what `npm run types` checks.
    skipErrorChecking: true,
    name: 'Descent',
    readme: `${root}docs/README.md`,
    projectDocuments: pages(),
    out,
    customCss: `${root}docs/reference.css`,
    disableSources: true,
    excludeExternals: true,
    excludePrivate: true,
    excludeProtected: true,
    excludeReferences: true,
    excludeInternal: true,
    categorizeByGroup: false,
    categoryOrder: [...categoryOrder],
    useFirstParagraphOfCommentAsSummary: true,
    sort: ['documents-first', 'kind', 'source-order'],
    kindSortOrder: ['Document', 'Module', 'Namespace', 'Class', 'Function', 'Variable', 'Interface', 'TypeAlias'],
    navigation: { includeCategories: true, includeGroups: false, includeFolders: false },
    highlightLanguages: [
      'typescript',
      'javascript',
      'html',
      'python',
      'text',
      'shellscript',
      'json',
      'csv',
      'wasm',
      'asm',
    ],
    headings: { readme: false, document: false },
    hideGenerator: true,
    searchInComments: true,
    searchInDocuments: true,
    githubPages: false,
    includeHierarchySummary: false,
    validation: { notExported: false, invalidLink: true, invalidPath: true, rewrittenLink: true, notDocumented: false },
  })
  app.logger = logger
  const docstrings = new Docstrings(app)
  app.renderer.on(PageEvent.END, (page: PageEvent) => {
    page.contents = page.contents?.replace(SOURCE_LINK, '$1') ?? ''
  })
  const project = await app.convert()
  if (!project) return { complaints: logger.texts, undocumented: [] }
  app.validate(project)
  await app.generateDocs(project, out)
  for (const copy of globSync('media/*.{ts,mjs,json,md}', { cwd: out })) rmSync(join(out, copy))
  return { complaints: logger.texts, undocumented: docstrings.missing(project) }
}

if (import.meta.main) {
  const { complaints, undocumented } = await buildReference(`${root}docs/reference`)
  for (const complaint of complaints) console.error(complaint)
  for (const name of undocumented) console.error(`No docstring: ${name}`)
  const whole = complaints.length + undocumented.length === 0
  console.log(whole ? 'docs/reference/index.html' : 'The reference is not whole.')
  process.exitCode = whole ? 0 : 1
}
