/**
 * From a table's rows to numbers that a network can take, and back. Everything that was learned from the training data
 * (means, deviations, levels, classes) is kept as plain JSON, so that new rows are treated the same.
 */
import { tensor } from '../create.ts'
import { FormatError, ShapeError } from '../errors.ts'
import type { Tensor } from '../tensor.ts'
import { ArrayDataset, column } from './dataset.ts'
import { type Feature, type FeatureKind, featureReader, type Rows, UNKNOWN, widthOf } from './features.ts'
import { PreprocessingFit } from './preprocessing-fit.ts'
import type { Table } from './table.ts'
import type { TableValue } from './table-value.ts'

export interface PreprocessingOptions {
  /** The column, or the columns of numbers, to be predicted. */
  readonly target: string | readonly string[]
  /** Default: all other columns, but texts. */
  readonly features?: readonly string[]
  /** Numbers and dates: (x − mean) / deviation (default), (x − min) / (max − min), or as they are (dates in days). */
  readonly numbers?: 'standardize' | 'minMax' | 'none'
  /** A column of 0 and 1 for each level (default), or the number of the level. */
  readonly categories?: 'oneHot' | 'index'
  /** Rows with missing values are an error that names the place (default) or skipped, or features are filled: numbers
   * with the mean, categories and booleans with the most frequent value of the training data. */
  readonly missing?: 'error' | 'skip' | 'impute'
  /** A level that the training data did not have is an error (default), or ignored: all zeros in one-hot, −1 as number. */
  readonly unknown?: 'error' | 'ignore'
  /** Whether the target is one of several classes or a number. Default: by the column's type. */
  readonly targetType?: 'class' | 'number'
  /** Whether target numbers are standardised too; `decode` undoes it. Default 'none'. */
  readonly targetScaling?: 'standardize' | 'none'
}

/** What is predicted: the classes in their order, or how numbers are scaled. */
export type Target =
  | { readonly kind: 'class'; readonly name: string; readonly type: FeatureKind; readonly classes: readonly string[] }
  | {
      readonly kind: 'number'
      readonly names: readonly string[]
      readonly shift: readonly number[]
      readonly scale: readonly number[]
    }

/** What a preprocessing is made of: JSON. */
export interface PreprocessingState {
  readonly features: readonly Feature[]
  readonly target: Target
  readonly missing: 'error' | 'skip' | 'impute'
  readonly unknown: 'error' | 'ignore'
}

/** Examples as plain arrays, and which rows they come from. */
export interface Prepared {
  /** [N, F] */
  readonly x: Float32Array
  /** [N] classes, or [N, T] numbers. */
  readonly y: Int32Array | Float32Array
  readonly rows: Int32Array
}

/**
 * Scaling, encoding and filling in, fitted on the training data.
 *
 * @example
 * ```ts
 * import { data } from 'descent'
 * const train = data.parseCsv('area,price\n50,100\n70,140\n90,180\n')
 * const preprocessing = data.Preprocessing.fit(train, { target: 'price', targetScaling: 'standardize' })
 * const json = JSON.stringify(preprocessing)
 * const again = data.Preprocessing.fromJSON(JSON.parse(json))
 * const x = again.transform([{ area: 70 }])
 * console.log(x.toArray(), again.decode(x)) // → [ [ 0 ] ] [ 140 ]
 * ```
 */
export class Preprocessing {
  readonly state: PreprocessingState
  /** How many numbers an example has. */
  readonly width: number

  constructor(state: PreprocessingState) {
    this.state = state
    this.width = state.features.reduce((sum, feature) => sum + widthOf(feature), 0)
  }

  /** Learns from a table. Throws RangeError for columns that do not exist or cannot be used. */
  static fit(table: Table, options: PreprocessingOptions): Preprocessing {
    const fit = new PreprocessingFit(options)
    fit.add(table)
    return new Preprocessing(fit.state())
  }

  /** The counterpart of `toJSON`. Throws FormatError for anything else. */
  static fromJSON(state: unknown): Preprocessing {
    const given = state as Partial<PreprocessingState> | null
    if (!Array.isArray(given?.features) || typeof given.target !== 'object')
      throw new FormatError('Preprocessing: these are not the settings of a preprocessing, as toJSON() gives them.')
    return new Preprocessing(given as PreprocessingState)
  }

  /** The settings, as plain JSON. */
  toJSON(): PreprocessingState {
    return this.state
  }

  /** The names of classes: class i is classes[i]. Empty where the target is a number. */
  get classes(): readonly string[] {
    return this.state.target.kind === 'class' ? this.state.target.classes : []
  }

  /** What each of the F numbers of an example is. */
  get featureNames(): string[] {
    return this.state.features.flatMap((feature) =>
      feature.levels && feature.encoding === 'oneHot'
        ? feature.levels.map((level) => `${feature.name}=${level}`)
        : feature.name,
    )
  }

  /**
   * The features of rows, f32 [N, F]: of a table, or of objects such as `{ age: 36, city: 'Paris' }`. Throws FormatError,
   * naming row and column, for missing values (unless they are filled in), unknown levels and wrong types.
   */
  transform(rows: Rows): Tensor {
    const missing = this.state.missing === 'impute' ? 'impute' : 'error'
    const { x, kept } = this.#encode(rows, missing)
    return tensor(x, { shape: [kept.length, this.width] })
  }

  /** Features and targets of a table, as plain arrays. */
  prepare(table: Table): Prepared {
    const targets = this.#targets(table)
    const { x, kept } = this.#encode(table, this.state.missing, targets.usable)
    return { x, y: targets.take(kept), rows: kept }
  }

  /**
   * What outputs of a network mean: the names of the classes with the largest of each row's logits [N, C], or target
   * numbers [N, T] in their own units. Throws ShapeError for another shape.
   */
  decode(output: Tensor): TableValue[] | number[][] {
    const { target } = this.state
    const wanted = target.kind === 'class' ? target.classes.length : target.names.length
    if (output.ndim !== 2 || output.shape[1] !== wanted)
      throw new ShapeError(`decode: takes outputs [N, ${wanted}], got [${output.shape.join(', ')}].`)
    const values = output.data()
    const rows = Array.from({ length: output.shape[0] as number }, (_, i) =>
      Array.from(values.subarray(i * wanted, (i + 1) * wanted)),
    )
    if (target.kind === 'class') return rows.map((row) => target.classes[row.indexOf(Math.max(...row))] ?? null)
    const own = rows.map((row) => row.map((v, t) => v * (target.scale[t] as number) + (target.shift[t] as number)))
    return wanted === 1 ? own.map((row) => row[0] as number) : own
  }

  #encode(
    rows: Rows,
    missing: PreprocessingState['missing'],
    usable: (row: number) => boolean = () => true,
  ): { x: Float32Array; kept: Int32Array } {
    const { features, unknown } = this.state
    const { width } = this
    const x = new Float32Array(rows.length * width)
    const kept = new Int32Array(rows.length)
    const readers = features.map((feature) => featureReader(rows, feature))
    let count = 0
    row: for (let row = 0; row < rows.length; row++) {
      if (!usable(row)) continue
      let at = count * width
      x.fill(0, at, at + width)
      for (const [f, feature] of features.entries()) {
        let value = (readers[f] as (row: number) => number)(row)
        if (Number.isNaN(value)) {
          if (missing === 'skip') continue row
          if (missing === 'error')
            throw new FormatError(
              `${placeOf(rows, row)}: '${feature.name}' is missing. Fill or skip such rows with the option \`missing\`.`,
            )
          value = feature.fill
        } else if (value === UNKNOWN && feature.levels) {
          if (unknown === 'error')
            throw new FormatError(
              `${placeOf(rows, row)}: '${feature.name}' is ${JSON.stringify(valueIn(rows, row, feature.name))}, which the training data did not have: ${feature.levels.join(', ')}.`,
            )
        }
        if (feature.levels && feature.encoding === 'oneHot') {
          if (value >= 0) x[at + value] = 1
          at += feature.levels.length
        } else x[at++] = feature.levels ? value : (value - feature.shift) / feature.scale
      }
      kept[count++] = row
    }
    return { x: x.subarray(0, count * width), kept: kept.subarray(0, count) }
  }

  #targets(table: Table): { usable: (row: number) => boolean; take: (rows: Int32Array) => Prepared['y'] } {
    const { target, missing } = this.state
    const names = target.kind === 'class' ? [target.name] : target.names
    const readers = names.map((name) =>
      featureReader(table, {
        ...{ name, type: target.kind === 'class' ? target.type : 'number', shift: 0, scale: 1, fill: 0 },
        ...(target.kind === 'class' ? { levels: target.classes, encoding: 'index' as const } : {}),
      }),
    )
    const usable = (row: number): boolean => {
      for (const [t, read] of readers.entries()) {
        const value = read(row)
        if (Number.isNaN(value)) {
          if (missing === 'skip') return false
          throw new FormatError(
            `${table.place(row)}: the target '${names[t]}' is missing. Skip such rows with \`missing: 'skip'\`.`,
          )
        }
        if (value === UNKNOWN && target.kind === 'class')
          throw new FormatError(
            `${table.place(row)}: the target '${names[t]}' is ${JSON.stringify(valueIn(table, row, target.name))}, none of the classes ${target.classes.join(', ')}.`,
          )
      }
      return true
    }
    const take = (rows: Int32Array): Prepared['y'] => {
      const [first] = readers
      if (target.kind === 'class') return Int32Array.from(rows, (row) => first?.(row) ?? 0)
      const y = new Float32Array(rows.length * readers.length)
      let at = 0
      for (const row of rows)
        for (const [t, read] of readers.entries())
          y[at++] = (read(row) - (target.shift[t] as number)) / (target.scale[t] as number)
      return y
    }
    return { usable, take }
  }
}

/** A table as a dataset: see `Table.toDataset`. */
export class TableDataset extends ArrayDataset {
  readonly preprocessing: Preprocessing
  /** Which row of the table each example is: they differ where rows with missing values are skipped. */
  readonly rows: Int32Array

  constructor(table: Table, preprocessing: Preprocessing) {
    const { x, y, rows } = preprocessing.prepare(table)
    const { target } = preprocessing.state
    super(column(x, [preprocessing.width]), column(y, target.kind === 'class' ? [] : [target.names.length]))
    this.preprocessing = preprocessing
    this.rows = rows
  }

  /** The names of classes: class i is classes[i]. Empty where the target is a number. */
  get classes(): readonly string[] {
    return this.preprocessing.classes
  }
}

function isTable(rows: Rows): rows is Table {
  return !Array.isArray(rows)
}

function placeOf(rows: Rows, row: number): string {
  return isTable(rows) ? rows.place(row) : `Row ${row}`
}

function valueIn(rows: Rows, row: number, name: string): unknown {
  return isTable(rows) ? rows.row(row)[name] : rows[row]?.[name]
}
