/** From a cell, or a folder's name, to a label that the project takes. */
import { missingWords } from './missing-values.ts'

export interface LabelRule {
  /** The label of everything in this import; null where it is read, or there is none. */
  readonly fixed: string | number | null
  /** The label set; null where every label is one. */
  readonly classes: readonly string[] | null
}

/** The label of this text; a sentence where the project does not take it. */
export function readLabel(
  { classes }: LabelRule,
  { name, as }: { readonly name: string; readonly as: 'class' | 'number' },
  text: string | null,
): string | { readonly value: string | number | null } {
  if (text === null || missingWords.has(text)) return { value: null }
  if (as === 'number') {
    const value = text.trim() === '' ? Number.NaN : Number(text)
    return Number.isFinite(value) ? { value } : `the label in '${name}', ${JSON.stringify(text)}, is no finite number`
  }
  if (classes && !classes.includes(text)) {
    return `the label ${JSON.stringify(text)} is none of the project's classes (${classes.join(', ')})`
  }
  return { value: text }
}
