/** Contents of the kind that features are for. */
import { UserError } from '../../errors.ts'
import type { Content } from '../../store/content.ts'

/** @throws {UserError} where the content is of another kind than the features are for */
export function requireKind<K extends Content['kind']>(content: Content, kind: K): Extract<Content, { kind: K }> {
  if (content.kind === kind) return content as Extract<Content, { kind: K }>
  const names = { row: 'rows', image: 'images', text: 'texts' } as const
  throw new UserError(`This model takes ${names[kind]}, but was given ${names[content.kind]}.`)
}
