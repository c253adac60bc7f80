/** Exported models that take texts as bags of words. */
import { WordFeatures, type WordState } from '../../../architecture/features/words.ts'
import { type ExportedModel, type ExportedSettings, modelOf } from './model.ts'

export function loadModel(settings: ExportedSettings, bytes: Uint8Array): Promise<ExportedModel<string>> {
  const features = new WordFeatures(settings.features as WordState)
  return modelOf(settings, bytes, async (text) => (await features.encode([{ kind: 'text', text }])).values)
}
