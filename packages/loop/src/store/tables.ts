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
  /** csv, tsv, json, jsonl, parquet, idx, images or text. */
  format: string
  /** SHA-256 of the bytes that were read, or of the list of files; null where it was taken back, or cannot go on. */
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
  /** The run whose weights it began with; null: it began anew. */
  start: number | null
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

/** A model version: a run that was registered. Its folder is `.descent/models/NUMBER/`. */
interface VersionTable {
  number: Generated<number>
  run: number
  created_at: string
  message: string | null
  /** SHA-256 of each file in its folder but the card, by name: JSON. */
  files: string
  /** What it takes and gives: JSON. */
  signature: string
  /** Figures with intervals, by slice as well: JSON. */
  metrics: string
  bytes: number
}

/** One change of an alias; what it points to is the latest of its name. */
interface AliasTable {
  number: Generated<number>
  /** champion, challenger, or any name. */
  name: string
  /** Null: from here on the name points to nothing. */
  version: number | null
  at: string
  who: string
  why: string | null
  how: 'promoted' | 'forced' | 'rolled back' | 'set' | 'removed'
  /** What the gate found: JSON; null where it was not asked. */
  gate: string | null
}

/** Who may ask the server. The token itself is shown once and not kept. */
interface TokenTable {
  number: Generated<number>
  name: string
  /** SHA-256 of the token. */
  hash: string
  /** Requests a minute; null: no limit. */
  per_minute: number | null
  created_at: string
  revoked_at: string | null
}

/** An answered request, or one of its inputs where it had several. */
interface PredictionTable {
  number: Generated<number>
  id: string
  at: string
  version: number
  role: 'champion' | 'shadow' | 'asked'
  /** 1: belongs to the uniform random slice of the traffic. */
  random: Generated<number>
  /** The prediction that this one of a challenger accompanies. */
  shadows: string | null
  /** The id that the input has as an example. */
  content: string
  media: string
  /** The input's canonical bytes; null where retention removed them, or someone asked to forget them. */
  body: Uint8Array | null
  /** JSON: `{ "label", "probabilities" }` or `{ "value" }`. */
  output: string
  /** From 0, certain, to 1: entropy of the probabilities over its largest possible value. Null for numbers without an ensemble. */
  uncertainty: number | null
  milliseconds: number
  /** The name of the token that asked. */
  token: string | null
}

/** What someone later said about a prediction. */
interface FeedbackTable {
  number: Generated<number>
  prediction: string
  /** JSON: a class or a number. */
  value: string
  at: string
  who: string
  /** The label event that it became. */
  label: number | null
}

/** Something that went too far, from when to when. */
interface AlarmTable {
  number: Generated<number>
  /** drift:column, drift:embedding, uncertain, accuracy, … */
  measure: string
  version: number
  opened_at: string
  closed_at: string | null
  value: number
  threshold: number
  details: string
}

/** An example that a person should label next, and why. */
interface QueuedTable {
  number: Generated<number>
  example: number
  reason: 'uncertain' | 'diverse' | 'drifted' | 'disputed' | 'random' | 'suspect'
  /** The reason in words. */
  detail: string
  /** Larger comes first, within a reason. */
  score: number
  at: string
  prediction: string | null
  alarm: number | null
  /** The label event that answered it. */
  label: number | null
  /** When it was answered, or no longer needed. */
  closed_at: string | null
}

/** One time round the circle by `descent loop`. */
interface RoundTable {
  number: Generated<number>
  started_at: string
  finished_at: string | null
  status: 'running' | 'stopped' | 'waiting' | 'promoted' | 'refused' | 'declined'
  /** New labels since the round before. */
  labels: number
  snapshot: string | null
  run: number | null
  /** The champion at its start. */
  before: number | null
  /** The version that came out of it. */
  after: number | null
  /** Accuracy before and after with intervals, and per hundred labels: JSON. */
  gain: string | null
}

/** Examples whose content was removed for good; their rows and hashes stay. */
interface ForgottenTable {
  example: number
  at: string
  who: string
  why: string | null
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
  version: VersionTable
  alias: AliasTable
  token: TokenTable
  prediction: PredictionTable
  feedback: FeedbackTable
  alarm: AlarmTable
  queued: QueuedTable
  round: RoundTable
  forgotten: ForgottenTable
}
