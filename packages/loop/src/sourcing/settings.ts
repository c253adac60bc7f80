/** The options of an import that decide what is read and kept: it goes on only with the same. */
import type { Layout } from './layout.ts'

export interface Settings {
  readonly target: string | null
  readonly group: string | null
  readonly time: string | null
  readonly text: string | null
  readonly split: string | null
  readonly label: string | null
  /** Null where the labels are the file's. */
  readonly labeler: string | null
  readonly format: string | null
  readonly delimiter: string | null
}

type Given = { readonly [K in 'split' | 'label' | 'labeler' | 'format' | 'delimiter']?: string | undefined }

/** What was given, and the columns that were found. */
export function settingsOf(given: Given, layout: Layout | null): Settings {
  return {
    target: layout?.target?.name ?? null,
    group: layout?.group?.name ?? null,
    time: layout?.time?.name ?? null,
    text: layout?.content === 'text' ? (layout.columns[0]?.name ?? null) : null,
    split: given.split ?? null,
    label: given.label ?? null,
    labeler: given.labeler ?? null,
    format: given.format ?? null,
    delimiter: given.delimiter ?? null,
  }
}

/** The command that does it again, as a person would type it. */
export function importCommand(path: string, settings: Settings): string {
  const quoted = (text: string) => (/^[\w./@:+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`)
  const options = Object.entries(settings).flatMap(([name, value]) =>
    value === null ? [] : [`--${name}`, quoted(value)],
  )
  return ['descent', 'import', quoted(path), ...options].join(' ')
}
