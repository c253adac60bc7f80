/** Exported models that take rows. */
import { TableFeatures, type TableState } from '../../../architecture/features/table.ts'
import type { Cell } from '../../../store/content.ts'
import { type ExportedModel, type ExportedSettings, modelOf } from './model.ts'

export function loadModel(
  settings: ExportedSettings,
  bytes: Uint8Array,
): Promise<ExportedModel<Readonly<Record<string, Cell | undefined>>>> {
  const features = new TableFeatures(settings.features as TableState)
  return modelOf(settings, bytes, async (input) => {
    const values = Object.fromEntries(Object.entries(input).map(([name, value]) => [name, value ?? null]))
    return (await features.encode([{ kind: 'row', values }])).values
  })
}
