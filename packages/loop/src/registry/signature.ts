/** What a version takes and gives, from what its features have learned. */
import type { FeaturesState } from '../architecture/features.ts'
import type { Layout } from '../architecture/input.ts'
import type { Target } from '../training/target.ts'
import type { FieldSignature, InputSignature, VersionSignature } from './served-model.ts'

export function signatureOf(state: FeaturesState, layout: Layout, target: Target): VersionSignature {
  const output = target.task === 'class' ? { task: target.task, classes: target.classes } : { task: target.task }
  return { input: inputOf(state), output, layout }
}

function inputOf(state: FeaturesState): InputSignature {
  switch (state.type) {
    case 'table':
      return {
        kind: 'row',
        fields: [
          ...state.numbers.map(({ name, type }): FieldSignature => ({ name, type })),
          ...state.categories.map(({ name, levels }): FieldSignature => ({ name, type: 'category', levels })),
        ],
      }
    case 'pixels':
      return { kind: 'image', width: state.width, height: state.height, channels: state.channels }
    case 'words':
    case 'bytePairs':
      return { kind: 'text' }
    default:
      return state satisfies never
  }
}
