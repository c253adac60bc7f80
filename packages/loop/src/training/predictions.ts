/**
 * What a run predicted for every example of its snapshot, kept in `predictions.safetensors`, so that evaluation needs no
 * retraining: `predicted` f32 [N, width] (probabilities in the order of the classes, or one number), `examples` i32 [N],
 * `splits` i32 [N] (0 train, 1 validation, 2 test), `labels` i32 [N] (numbers of classes) or f32 [N]; and for validation
 * and test, where they are not too many, `embedding` f32 [M, D] with `embeddingExamples` i32 [M].
 */
import { loadSafetensors, saveSafetensors, tensor } from 'descent'
import { UserError } from '../errors.ts'
import type { Split } from '../versioning/split.ts'
import type { SplitData } from './examples.ts'
import { classMetrics, type Metrics, numberMetrics } from './metrics.ts'
import type { Model, Rows } from './model.ts'
import type { Target } from './target.ts'

export interface Predictions {
  /** Probabilities of the classes, or numbers, of each example. */
  readonly predicted: Rows
  /** The examples' numbers in this project. */
  readonly examples: Int32Array
  readonly splits: readonly Split[]
  /** Numbers of classes, or numbers. */
  readonly labels: Int32Array | Float32Array
  /** Of validation and test; null where they would be too large. */
  readonly embedding: { readonly rows: Rows; readonly examples: Int32Array } | null
}

const splitNames = ['train', 'validation', 'test'] as const
/** An embedding of more numbers is not kept: 64 MB. */
const LARGEST_EMBEDDING = 2 ** 24

export type Splits = Readonly<Record<Split, SplitData>>

export function predictSplits(model: Model, splits: Splits): Predictions {
  const rows = splitNames.map((name) => {
    const { inputs, length } = splits[name]
    return model.predictEncoded((places) => inputs.read(places), length)
  })
  const all = splitNames.flatMap((name) => splits[name].entries.map(({ number }) => number))
  const labels = splitNames.flatMap((name) => {
    const { entries } = splits[name]
    return model.target.task === 'class' ? [...splits[name].labels()] : entries.map(({ label }) => Number(label))
  })
  return {
    predicted: concat(rows),
    examples: Int32Array.from(all),
    splits: splitNames.flatMap((name) => splits[name].entries.map(() => name)),
    labels: model.target.task === 'class' ? Int32Array.from(labels) : Float32Array.from(labels),
    embedding: embedding(model, splits),
  }
}

function embedding(model: Model, splits: Splits): Predictions['embedding'] {
  const parts = ([splits.validation, splits.test] as const).filter(({ length }) => length > 0)
  const [first] = parts
  if (!first) return null
  const { width } = model.embedEncoded((places) => first.inputs.read(places), 1)
  const count = parts.reduce((sum, { length }) => sum + length, 0)
  if (width * count > LARGEST_EMBEDDING) return null
  const rows = parts.map(({ inputs, length }) => model.embedEncoded((places) => inputs.read(places), length))
  return {
    rows: concat(rows),
    examples: Int32Array.from(parts.flatMap(({ entries }) => entries.map(({ number }) => number))),
  }
}

function concat(parts: readonly Rows[]): Rows {
  const there = parts.filter(({ count }) => count > 0)
  const width = there[0]?.width ?? 1
  const count = there.reduce((sum, part) => sum + part.count, 0)
  const values = new Float32Array(count * width)
  let at = 0
  for (const part of there) {
    values.set(part.values, at)
    at += part.values.length
  }
  return { count, width, values }
}

/** The figures of each split that has examples. */
export function metricsOf({ predicted, splits, labels }: Predictions, target: Target): Partial<Record<Split, Metrics>> {
  const found: Partial<Record<Split, Metrics>> = {}
  for (const name of splitNames) {
    const from = splits.indexOf(name)
    if (from < 0) continue
    const to = splits.lastIndexOf(name) + 1
    const values = predicted.values.subarray(from * predicted.width, to * predicted.width)
    const own = labels.subarray(from, to)
    found[name] =
      target.task === 'class' ? classMetrics(values, own, target.classes.length) : numberMetrics(values, own)
  }
  return found
}

export async function savePredictions(path: string, predictions: Predictions): Promise<void> {
  const { predicted, examples, splits, labels, embedding } = predictions
  await saveSafetensors(path, {
    predicted: tensor(predicted.values, { shape: [predicted.count, predicted.width] }),
    examples: tensor(examples),
    splits: tensor(Int32Array.from(splits, (name) => splitNames.indexOf(name))),
    labels: tensor(labels),
    ...(embedding && {
      embedding: tensor(embedding.rows.values, { shape: [embedding.rows.count, embedding.rows.width] }),
      embeddingExamples: tensor(embedding.examples),
    }),
  })
}

/** @throws {UserError} where the file is missing or damaged */
export async function loadPredictions(path: string): Promise<Predictions> {
  const tensors = await loadSafetensors(path).catch((error: Error) => {
    throw new UserError(`The predictions ${path} cannot be read: ${error.message}`)
  })
  const { predicted, examples, splits, labels, embedding, embeddingExamples } = tensors
  if (!predicted || !examples || !splits || !labels)
    throw new UserError(`${path} holds no predictions: put it back from a copy, or train again.`)
  const rows = (x: NonNullable<typeof predicted>): Rows => ({
    count: x.shape[0] as number,
    width: x.shape[1] as number,
    values: x.data() as Float32Array,
  })
  return {
    predicted: rows(predicted),
    examples: examples.data() as Int32Array,
    splits: Array.from(splits.data(), (i) => splitNames[i] as Split),
    labels: labels.data() as Int32Array | Float32Array,
    embedding:
      embedding && embeddingExamples
        ? { rows: rows(embedding), examples: embeddingExamples.data() as Int32Array }
        : null,
  }
}
