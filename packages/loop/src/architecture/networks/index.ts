/** The network that a recipe names, for what the features give. */
import { nn } from 'descent'
import { UserError } from '../../errors.ts'
import { inputShape, type NetworkInput } from '../input.ts'
import type { NetworkRecipe } from '../recipe.ts'
import { convolutionNetwork, ResidualBlock, residualNetwork } from './image.ts'
import { perceptron, TableNetwork } from './table.ts'
import { TextConvolution, TextTransformer } from './text.ts'

/** The classes of modules that are not the library's own, for `saveModel` and `loadModel`. */
export const networkClasses = { TableNetwork, ResidualBlock, TextConvolution, TextTransformer }

/**
 * Makes the network, with first values from the default generator.
 * @throws {UserError} where the network does not take what the features give
 */
export function makeNetwork(
  recipe: Exclude<NetworkRecipe, { type: 'code' }>,
  { layout, outputs }: NetworkInput,
): nn.Module {
  const { type } = recipe
  switch (type) {
    case 'mlp': {
      if (layout.type === 'table') return new TableNetwork(layout.numbers, layout.categories, outputs, recipe)
      if (layout.type === 'tokens') break
      const size = inputShape(layout).reduce((a, b) => a * b)
      const layers = perceptron(size, outputs, recipe)
      return layout.type === 'image' ? new nn.Sequential(new nn.Flatten(), ...layers.layers) : layers
    }
    case 'bagOfWords':
      if (layout.type !== 'words') break
      return perceptron(layout.buckets, outputs, { ...recipe, activation: 'relu', norm: 'none' })
    case 'convolution':
      if (layout.type !== 'image') break
      return convolutionNetwork([layout.channels, layout.height, layout.width], outputs, recipe)
    case 'resnet':
      if (layout.type !== 'image') break
      return residualNetwork([layout.channels, layout.height, layout.width], outputs, recipe)
    case 'textConvolution':
      if (layout.type !== 'tokens') break
      return new TextConvolution(layout.vocabulary, outputs, recipe)
    case 'textTransformer':
      if (layout.type !== 'tokens') break
      return new TextTransformer(layout.vocabulary, layout.length, outputs, recipe)
    default:
      return type satisfies never
  }
  throw new UserError(`The network '${type}' does not take ${layout.type}: choose another for this preprocessing.`)
}
