/** From the description of a dataset, as a worker is sent it, back to the dataset. */
import { type Column, ColumnSource } from './columns.ts'
import type { Dataset } from './dataset.ts'
import { ImageFolder } from './image-dataset.ts'
import type { ImageFile, ImageOptions } from './image-folder.ts'
import { openModule } from './module-dataset.ts'
import type { BatchPlace, RawBatch, Source } from './raw.ts'
import { type StreamOptions, streamBatches } from './stream-batches.ts'
import { ConcatDataset, Subset } from './subset.ts'
import { type RowStreamSpec, rowStream } from './table-stream.ts'

export type SourceSpec =
  | { readonly kind: 'columns'; readonly x: Column; readonly y: Column }
  | {
      readonly kind: 'images'
      readonly files: readonly ImageFile[]
      readonly classes: readonly string[]
      readonly labels: Int32Array
      readonly options: ImageOptions
    }
  | { readonly kind: 'subset'; readonly of: SourceSpec; readonly numbers: Int32Array }
  | { readonly kind: 'concat'; readonly of: readonly SourceSpec[] }
  | { readonly kind: 'module'; readonly url: string; readonly args: unknown }

export async function openSource(given: unknown): Promise<Dataset | Source> {
  const spec = given as SourceSpec
  switch (spec.kind) {
    case 'columns':
      return new ColumnSource(spec.x, spec.y)
    case 'images':
      return new ImageFolder(spec.files, spec.classes, spec.labels, spec.options)
    case 'subset':
      return new Subset(await openSource(spec.of), spec.numbers)
    case 'concat':
      return new ConcatDataset(await Promise.all(spec.of.map(openSource)))
    case 'module':
      return openModule(spec.url, spec.args)
  }
}

export async function openStream(
  spec: unknown,
  options: unknown,
): Promise<(place: BatchPlace) => AsyncIterable<RawBatch>> {
  const rows = rowStream(spec as RowStreamSpec)
  return (place) => streamBatches(rows, options as StreamOptions, place)
}

export function usesModule(spec: SourceSpec): boolean {
  switch (spec.kind) {
    case 'module':
      return true
    case 'subset':
      return usesModule(spec.of)
    case 'concat':
      return spec.of.some(usesModule)
    case 'columns':
    case 'images':
      return false
  }
}
