/**
 * What the reference takes from the sources beside docstrings: categories from files and from the headings inside of long
 * classes, namespaces' texts from the first comment of their file, and what follows from a name (`LinearOptions`,
 * `nn.ReLU`). And what is not said anywhere.
 */
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import {
  type Application,
  Comment,
  type CommentDisplayPart,
  CommentTag,
  type Context,
  Converter,
  type DeclarationReflection,
  type DocumentReflection,
  type ProjectReflection,
  ReflectionKind,
} from 'typedoc'
import { categoryOf } from './categories.ts'

const sources = fileURLToPath(new URL('../packages/descent/src/', import.meta.url))
const INTERNAL = /For the library's own use\.$/

/** Where a name is declared: the file relative to the sources, its text, and the place in it. */
interface Place {
  readonly file: string
  readonly text: string
  readonly start: number
  readonly end: number
}

export class Docstrings {
  readonly #places = new Map<DeclarationReflection, Place>()

  constructor({ converter }: Application) {
    converter.on(Converter.EVENT_CREATE_DECLARATION, (context: Context, reflection: DeclarationReflection) => {
      if (reflection.kindOf(ReflectionKind.Module)) {
        reflection.name = 'descent'
        commentOf(reflection).blockTags.push(categoryTag('The library'))
      }
      const declaration = context.getSymbolFromReflection(reflection)?.declarations?.[0]
      const source = declaration?.getSourceFile()
      if (!declaration || !source) return
      this.#places.set(reflection, {
        file: relative(sources, source.fileName),
        text: source.text,
        start: declaration.getStart(),
        end: declaration.end,
      })
    })
    converter.on(Converter.EVENT_CREATE_DOCUMENT, (_: undefined, page: DocumentReflection) => entitle(page))
    // Before TypeDoc takes out what is internal and sorts by category.
    converter.on(Converter.EVENT_RESOLVE_BEGIN, (context: Context) => this.#complete(context.project), 1000)
  }

  #complete(project: ProjectReflection): void {
    const functions = new Map<string, DeclarationReflection>()
    for (const reflection of this.#places.keys())
      if (reflection.kindOf(ReflectionKind.Function)) functions.set(reflection.name.toLowerCase(), reflection)
    for (const [reflection, place] of this.#places) {
      if (reflection.project !== project) continue
      const summary = summaryOf(reflection)
      if (INTERNAL.test(textOf(summary))) commentOf(reflection).modifierTags.add('@internal')
      if (summary.length === 0) commentOf(reflection).summary = derived(reflection, place, functions)
      const brief = firstSentence(summaryOf(reflection))
      if (brief && reflection.parent?.kindOf(CONTAINERS))
        commentOf(reflection).blockTags.push(new CommentTag('@summary', brief))
      const category = categoryAt(reflection, place)
      if (category) commentOf(reflection).blockTags.push(categoryTag(category))
    }
  }

  /**
   * Public names whose meaning is not said. What overrides, implements or inherits is said once, where it comes from, and
   * options are said one by one.
   */
  missing(project: ProjectReflection): string[] {
    const found: string[] = []
    const visit = (reflection: DeclarationReflection): void => {
      const elsewhere = reflection.inheritedFrom ?? reflection.overwrites ?? implemented(reflection)
      if (elsewhere || reflection.name.startsWith('[') || isOptions(reflection)) return
      if (reflection.kindOf(NEEDS_TEXT) && summaryOf(reflection).length === 0)
        found.push(
          `${reflection.getFullName().replace(/^descent\./, '')} (${this.#places.get(reflection)?.file ?? '?'})`,
        )
      for (const child of reflection.children ?? []) visit(child)
    }
    for (const child of project.children ?? []) visit(child)
    return found.sort()
  }
}

/** A page is called what its first line says. */
function entitle(page: DocumentReflection): void {
  const [first] = page.content
  const title = /^\s*# (.+)\n/.exec(first?.text ?? '')
  if (!title) return
  page.name = title[1] as string
  page.frontmatter.category = /^\d/.test(page.name) ? 'Tutorials' : 'Pages'
}

function categoryTag(text: string): CommentTag {
  return new CommentTag('@category', [{ kind: 'text', text }])
}

const OPTIONS = /^(.+)(Options|Settings)$/

function isOptions({ name, kind }: DeclarationReflection): boolean {
  return OPTIONS.test(name) && (kind === ReflectionKind.Interface || kind === ReflectionKind.TypeAlias)
}

const NEEDS_TEXT =
  ReflectionKind.Class |
  ReflectionKind.Interface |
  ReflectionKind.TypeAlias |
  ReflectionKind.Variable |
  ReflectionKind.Function |
  ReflectionKind.Method |
  ReflectionKind.Accessor |
  ReflectionKind.Namespace

const CONTAINERS = ReflectionKind.Namespace | ReflectionKind.Module

function commentOf(reflection: DeclarationReflection): Comment {
  const commented = [reflection, ...(reflection.signatures ?? [])].find(({ comment }) => comment)
  if (commented?.comment) return commented.comment
  const owner = reflection.signatures?.[0] ?? reflection
  owner.comment = new Comment()
  return owner.comment
}

function summaryOf(reflection: DeclarationReflection): readonly CommentDisplayPart[] {
  const parts = [reflection, ...(reflection.signatures ?? []), reflection.getSignature, reflection.setSignature]
  return parts.find((part) => part?.comment?.summary.length)?.comment?.summary ?? []
}

function textOf(parts: readonly CommentDisplayPart[]): string {
  return parts
    .map(({ text }) => text)
    .join('')
    .trim()
}

function implemented({ implementationOf, getSignature, signatures }: DeclarationReflection): unknown {
  return implementationOf ?? getSignature?.implementationOf ?? signatures?.[0]?.implementationOf
}

/** What stands beside the name on the page of its module; null where that is all there is. */
function firstSentence(parts: readonly CommentDisplayPart[]): CommentDisplayPart[] | null {
  for (const [i, { kind, text }] of parts.entries()) {
    const end = kind === 'text' ? /\.(?=\s+\p{Lu})/u.exec(text) : null
    if (end) return [...parts.slice(0, i), { kind: 'text', text: text.slice(0, end.index + 1) }]
  }
  return null
}

/** What can be said of a name that has no docstring of its own; nothing where nothing follows. */
function derived(
  reflection: DeclarationReflection,
  { text, start }: Place,
  functions: ReadonlyMap<string, DeclarationReflection>,
): CommentDisplayPart[] {
  if (reflection.kindOf(ReflectionKind.Namespace)) return [{ kind: 'text', text: firstComment(text) }]
  const options = OPTIONS.exec(reflection.name)
  if (options && isOptions(reflection)) {
    const owner = reflection.parent as DeclarationReflection
    const target =
      owner.children?.find(({ name, kind }) => name === options[1] && kind === ReflectionKind.Class) ??
      functions.get((options[1] as string).toLowerCase())
    return target ? [{ kind: 'text', text: 'Options of ' }, link(target), { kind: 'text', text: '.' }] : []
  }
  const twin = functions.get(reflection.name.toLowerCase())
  if (twin && reflection.kindOf(ReflectionKind.Class))
    return [{ kind: 'text', text: 'The layer of ' }, link(twin), { kind: 'text', text: ': ' }, ...summaryOf(twin)]
  // A file is one idea, and its first type is what the file's first comment speaks of.
  const types = ReflectionKind.Class | ReflectionKind.Interface
  const isFirst = !/^export (abstract )?(class|interface|type|function|const) /m.test(text.slice(0, start))
  return reflection.kindOf(types) && isFirst ? [{ kind: 'text', text: firstComment(text) }] : []
}

function link(target: DeclarationReflection): CommentDisplayPart {
  return { kind: 'inline-tag', tag: '@link', text: target.name, target }
}

/** The comment with which a file begins. */
function firstComment(text: string): string {
  const [, inner = ''] = /^\/\*\*([\s\S]*?)\*\//.exec(text) ?? []
  return inner.replaceAll(/^\s*\* ?/gm, '').trim()
}

function categoryAt(reflection: DeclarationReflection, place: Place): string | null {
  const { parent } = reflection
  if (parent?.kindOf(ReflectionKind.Class)) return heading(place)
  if (!parent?.kindOf(CONTAINERS) || reflection.kindOf(ReflectionKind.Module)) return null
  return reflection.kindOf(ReflectionKind.Namespace) ? 'Namespaces' : categoryOf(place.file)
}

/** The last heading `// ── reductions: … ──` above a place in a file, without what follows a colon. */
function heading({ text, end }: Place): string | null {
  const headings = [...text.slice(0, end).matchAll(/^ *\/\/ ── ([^─:]+)/gm)]
  const last = headings.at(-1)?.[1]?.trim()
  return last ? last.charAt(0).toUpperCase() + last.slice(1) : null
}
