/**
 * Puts a module and what it imports into one text of JavaScript without imports: sources as they are, but for their types,
 * each in a function of its own. It takes what the sources of an exported model use, and refuses anything else: relative
 * imports of names, exports of declarations.
 */
import { readFile } from 'node:fs/promises'
import { stripTypeScriptTypes } from 'node:module'

/** Where packages that are imported by name lie. */
export type Packages = Readonly<Record<string, URL>>

/** The text defines a constant for each export of the entry. */
export async function bundle(entry: URL, packages: Packages = {}): Promise<string> {
  const found = new Map<string, string>()
  const order: string[] = []
  const visit = async (url: URL): Promise<string> => {
    const known = found.get(url.href)
    if (known) return known
    const name = `m${found.size}`
    found.set(url.href, name)
    const { body, imports, exports } = split(withoutTypes(await readFile(url, 'utf8')), url)
    const lines: string[] = []
    for (const { names, from } of imports) {
      const target = from.startsWith('.') ? new URL(from, url) : packages[from]
      if (!target) throw new Error(`${url.pathname} imports ${from}, which is not known here.`)
      lines.push(`const { ${names.replaceAll(' as ', ': ')} } = ${await visit(target)}`)
    }
    order.push(`const ${name} = (() => {\n${[...lines, body].join('\n')}\nreturn { ${exports.join(', ')} }\n})()`)
    return name
  }
  const last = await visit(entry)
  const { exports } = split(withoutTypes(await readFile(entry, 'utf8')), entry)
  return `${order.join('\n')}\nconst { ${exports.join(', ')} } = ${last}\n`
}

/** Node warns that this function may change; the sources that it runs itself pass through the same code. */
function withoutTypes(source: string): string {
  const { emitWarning } = process
  process.emitWarning = () => {}
  try {
    return stripTypeScriptTypes(source)
  } finally {
    process.emitWarning = emitWarning
  }
}

interface Parts {
  readonly body: string
  readonly imports: readonly { readonly names: string; readonly from: string }[]
  readonly exports: readonly string[]
}

function split(source: string, { pathname }: URL): Parts {
  const imports: { names: string; from: string }[] = []
  const exports: string[] = []
  const body = source
    .replace(/^import\s*\{([^}]*)\}\s*from\s*'([^']+)'/gm, (_, names: string, from: string) => {
      const own = names
        .split(',')
        .map((name) => name.trim())
        .filter((name) => name !== '')
      if (own.length > 0) imports.push({ names: own.join(', '), from })
      return ''
    })
    .replace(/^export\s+((?:async\s+)?function\*?|class|const|let)\s+(\w+)/gm, (_, kind: string, name: string) => {
      exports.push(name)
      return `${kind} ${name}`
    })
    .replace(/^[ \t]+$/gm, '')
    .replace(/\n{3,}/g, '\n\n')
  const left = /^(?:import|export)\b.*/m.exec(body)
  if (left) throw new Error(`${pathname}: '${left[0]}' cannot be put into one file.`)
  return { body, imports, exports }
}
