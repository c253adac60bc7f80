/**
 * A model version as serving, monitoring and the gate use it: contents in, answers out. What it takes and gives is its
 * signature; how it computes is nobody's business.
 */
import type { Layout } from '../architecture/input.ts'
import type { Content } from '../store/content.ts'
import type { Rows } from '../training/model.ts'

export interface ServedModel {
  readonly version: number
  readonly signature: VersionSignature
  /** One answer a content, in their order. What else is in the batch does not change an answer beyond rounding. */
  predict(contents: readonly Content[]): Promise<Answer[]>
  /** What the last linear layer is given, one row a content: where the network sees likeness. */
  embed(contents: readonly Content[]): Promise<Rows>
  /** Answers of so many members of an ensemble together; not there where the network has no dropout to make members with. */
  readonly ensemble?: ((contents: readonly Content[], members: number) => Promise<Answer[]>) | undefined
}

export type Answer = ClassAnswer | NumberAnswer

export interface ClassAnswer {
  readonly label: string
  /** In the order of the signature's classes; of the logits divided by the temperature. */
  readonly probabilities: readonly number[]
  /** Entropy of the probabilities over its largest possible value: 0 is certain, 1 is a guess. */
  readonly uncertainty: number
}

export interface NumberAnswer {
  readonly value: number
  /** Of an ensemble: the standard deviation over its members. Null where none was asked. */
  readonly uncertainty: number | null
}

export interface VersionSignature {
  readonly input: InputSignature
  readonly output: OutputSignature
  /** The shape and kind of what the network itself is given. */
  readonly layout: Layout
}

export type InputSignature =
  | { readonly kind: 'row'; readonly fields: readonly FieldSignature[] }
  /** PNG and JPEG of any size, or raw pixels: brought to this size. */
  | { readonly kind: 'image'; readonly width: number; readonly height: number; readonly channels: 1 | 3 }
  | { readonly kind: 'text' }

/** A named input; each may be missing (null). Columns that the model does not use are no inputs. */
export type FieldSignature =
  | { readonly name: string; readonly type: 'number' | 'date' | 'boolean' }
  /** Levels that training had; another counts as unknown. */
  | { readonly name: string; readonly type: 'category'; readonly levels: readonly string[] }

export type OutputSignature =
  | { readonly task: 'class'; readonly classes: readonly string[] }
  | { readonly task: 'number' }
