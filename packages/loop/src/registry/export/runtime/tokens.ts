/** Exported models that take texts as sequences of tokens. */
import { TokenFeatures, type TokenState } from '../../../architecture/features/tokens.ts'
import { type ExportedModel, type ExportedSettings, modelOf } from './model.ts'

export function loadModel(settings: ExportedSettings, bytes: Uint8Array): Promise<ExportedModel<string>> {
  const features = new TokenFeatures(settings.features as TokenState)
  return modelOf(settings, bytes, async (text) => (await features.encode([{ kind: 'text', text }])).values)
}
