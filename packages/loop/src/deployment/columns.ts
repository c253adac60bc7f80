/** The columns of a project's rows, without what is predicted: what may be sent of a row, whether a version uses it or not. */
import type { Project } from '../project/project.ts'
import type { OtherField } from './inputs.ts'

export async function columnsOf({ store, config }: Pick<Project, 'store' | 'config'>): Promise<OtherField[]> {
  const fields = await store.db.selectFrom('field').select(['name', 'type']).orderBy('position').execute()
  return fields.filter(({ name }) => name !== config.target)
}
