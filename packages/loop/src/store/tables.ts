/**
 * The tables of a project's database, as types. Times are ISO 8601 in UTC; `json` columns hold JSON as text; nothing here is
 * particular to one database.
 *
 * What must hold: an example's content never changes (its id is a hash of it); labels are only ever appended; a snapshot's
 * manifest is a file named by its hash.
 */
import type { Generated } from 'kysely'

/** Settings of the database itself: `schemaVersion`. */
interface MetaTable {
  key: string
  value: string
}

/** One `descent import`: where examples came from, and how it ended. */
interface ImportTable {
  id: Generated<number>
  /** What was read: a path as the person wrote it. */
  path: string
  /** csv, tsv, jsonl, parquet, idx, images or text. */
  format: string
  /** SHA-256 of the bytes that were read, or of the list of files; null while it runs. */
  content_hash: string | null
  options: string
  started_at: string
  finished_at: string | null
  status: 'running' | 'done' | 'stopped'
  rows: number
  added: number
  duplicates: number
  bad: number
  /** The report of what was found, as JSON. */
  report: string | null
}

/** A column of the rows in this project. */
interface FieldTable {
  name: string
  type: 'number' | 'category' | 'text' | 'date' | 'boolean'
  position: number
}

/** One item: a row, an image, a text. */
interface ExampleTable {
  /** Counts up in order of arrival; joins are by it. */
  number: Generated<number>
  /** 32 hexadecimal characters: the first half of the SHA-256 of kind and canonical content. */
  id: string
  /** row, text, image/png, image/jpeg, or image/raw;width=28;height=28;channels=1 (bytes, row by row). */
  media: string
  /** The content where it is small: JSON of a row, UTF-8 of a text, bytes of an image. */
  body: Uint8Array | null
  /** The hash of the file that holds the content where `body` is null. */
  file: string | null
  bytes: number
  /** The first import that brought it. */
  import_id: number
  /** The row, or the file's position, in that import, from 1. */
  place: number
  /** The file's path within the import, where there is one. */
  name: string | null
  /** What must not be torn apart between splits (a patient, a user); null: itself. */
  group_key: string | null
  /** When it happened, for splits by time. */
  time_key: string | null
  /** The split that its import named: train, validation or test. */
  given_split: string | null
}

/** Examples that are in the test set for good, since when. */
interface FrozenTable {
  example: number
  frozen_at: string
}

/** Who gives labels. */
interface LabelerTable {
  name: string
  kind: 'person' | 'rule' | 'file' | 'model'
  created_at: string
}

/** One label event. The present label of an example is derived from its events. */
interface LabelTable {
  number: Generated<number>
  example: number
  /** A JSON string (a class) or number; null: this event takes back another. */
  value: string | null
  labeler: string
  at: string
  /** Time that the person took. */
  seconds: number | null
  /** The prediction that prompted it, if any. */
  prediction: string | null
  /** The number of the event that this one takes back. */
  undoes: number | null
  import_id: number | null
}

/** Examples that a labeler was asked and did not want to answer. */
interface SkipTable {
  number: Generated<number>
  example: number
  labeler: string
  at: string
}

/** An immutable dataset version; its manifest is the content-addressed file of the same hash. */
interface SnapshotTable {
  hash: string
  /** Counts up: the order in which they were made. */
  number: number
  created_at: string
  message: string | null
  examples: number
  /** Counts of splits and classes, columns, and how it was split, as JSON. */
  summary: string
  /** The number of the last label event that it has seen. */
  last_label: number
}

/** A recipe trained on a snapshot with a seed. */
interface RunTable {
  /** Counts up; shown as run 12. */
  number: Generated<number>
  snapshot: string
  kind: 'network' | 'baseline'
  /** The recipe's name, or the baseline's. */
  name: string
  recipe: string
  recipe_hash: string
  seed: number
  status: 'running' | 'stopped' | 'done' | 'failed'
  /** Why it failed, in one sentence. */
  error: string | null
  device: string
  /** Versions, processor, threads, commit of the project's folder: JSON. */
  environment: string
  started_at: string
  finished_at: string | null
  /** Training time, over all its continuations. */
  seconds: number
  joules: number | null
  /** Final metrics by split: JSON. */
  metrics: string | null
  parameters: number | null
  bytes: number | null
  /** Time to predict one example, in microseconds, measured in batches. */
  predict_microseconds: number | null
  /** The network run that this baseline or trial accompanies. */
  parent: number | null
  sweep: number | null
}

/** Metrics of one epoch of a run. */
interface EpochTable {
  run: number
  epoch: number
  /** loss, validation, learningRate, seconds: JSON. */
  metrics: string
}

/** A search over recipes. */
interface SweepTable {
  number: Generated<number>
  snapshot: string
  settings: string
  seed: number
  status: 'running' | 'stopped' | 'done'
  created_at: string
}

export interface Tables {
  meta: MetaTable
  import: ImportTable
  field: FieldTable
  example: ExampleTable
  frozen: FrozenTable
  labeler: LabelerTable
  label: LabelTable
  skip: SkipTable
  snapshot: SnapshotTable
  run: RunTable
  epoch: EpochTable
  sweep: SweepTable
}
