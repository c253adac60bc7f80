/** What features give to a network, and what a network has to give: all that is needed to make one. */

/** The shape of one example's input, by kind. A batch has one dimension more, at the front. */
export type Layout =
  /** f32 [numbers + categories]: standardised numbers, then for each category column the number of its level. */
  | { readonly type: 'table'; readonly numbers: number; readonly categories: readonly number[] }
  /** f32 [channels, height, width] */
  | { readonly type: 'image'; readonly channels: number; readonly height: number; readonly width: number }
  /** f32 [buckets]: weights of hashed words. */
  | { readonly type: 'words'; readonly buckets: number }
  /** i32 [length]: numbers of byte-pair tokens, 0 after the text's end. */
  | { readonly type: 'tokens'; readonly vocabulary: number; readonly length: number }

/** What a recipe's network function is given. */
export interface NetworkInput {
  readonly layout: Layout
  /** How many numbers the network gives an example: one a class, or 1. */
  readonly outputs: number
  readonly task: 'class' | 'number'
}

/** The shape of one example's input. */
export function inputShape(layout: Layout): readonly number[] {
  switch (layout.type) {
    case 'table':
      return [layout.numbers + layout.categories.length]
    case 'image':
      return [layout.channels, layout.height, layout.width]
    case 'words':
      return [layout.buckets]
    case 'tokens':
      return [layout.length]
    default:
      return layout satisfies never
  }
}
