/**
 * The categories of the reference: a public name stands in the one of the file that declares it. So no docstring has to
 * say where it belongs, and a new file finds its place by its folder.
 */

/** Files, relative to packages/descent/src/, and their category; the first that matches counts. */
const rules: readonly (readonly [RegExp, string])[] = [
  [/^nn\/activations\//, 'Activations'],
  [/^nn\/losses\/(regression|distance|likelihood)/, 'Losses: regression'],
  [/^nn\/losses\/(classification|binary|cross-entropy|margin)/, 'Losses: classification'],
  [/^nn\/losses\/embedding/, 'Losses: embedding'],
  [/^nn\/losses\/miscellaneous/, 'Losses: miscellaneous'],
  [/^nn\/losses\//, 'Losses: in general'],
  [/^nn\/(module|sequential|container|state-dict|summary)/, 'Modules and containers'],
  [/^nn\/init/, 'First values'],
  [/^nn\/.*conv/, 'Layers: convolution'],
  [/^nn\/.*pool/, 'Layers: pooling'],
  [/^nn\/.*norm/, 'Layers: normalisation'],
  [/^nn\/.*(rnn|lstm|gru|recurrent)/, 'Layers: recurrent'],
  [/^nn\/.*(attention|transformer|rotary|mask|embedding|position)/, 'Layers: attention and embedding'],
  [/^nn\/.*dropout/, 'Layers: dropout'],
  [/^nn\//, 'Layers'],
  [/^optim\/.*(scheduler|lr)/, 'Learning-rate schedules'],
  [/^optim\/(clip|ema|exponential|swa|average)/, 'Clipping and averaging'],
  [/^optim\//, 'Optimizers'],
  [/^data\/augment/, 'Augmentation'],
  [/^data\/(csv|jsonl|parquet|table|preprocess|feature|column-builder|from-arrays|row-error|infer|field)/, 'Tables'],
  [/^data\/(image|decode-image|idx)/, 'Images'],
  [/^data\//, 'Datasets and batches'],
  [/^train\/.*(metric|confusion|calibration|curve)/, 'Metrics'],
  [/^train\//, 'Training'],
  [/^io\//, 'Files'],
  [/^(tensor|create|dtype|format)|^functions\//, 'Tensors'],
  [/^random/, 'Random numbers'],
  [/^(autograd|gradient)/, 'Gradients'],
  [/^(compile|trace|program|export)|^(graph|kernel|ops)\//, 'Compilation'],
  [/^(backend|inspection)|^(devices|doctor)\//, 'Devices'],
  [/^errors/, 'Errors'],
]

/** The order of categories on a page; * stands for those not named. */
export const categoryOrder: readonly string[] = [
  ...['Tutorials', 'The library', 'Pages'],
  ...['Namespaces', 'Tensors', 'Gradients', 'Random numbers', 'Compilation', 'Modules and containers'],
  ...['Layers', 'Layers: convolution', 'Layers: pooling', 'Layers: normalisation', 'Layers: dropout'],
  ...['Layers: recurrent', 'Layers: attention and embedding', 'Activations'],
  ...['Losses: regression', 'Losses: classification', 'Losses: embedding', 'Losses: miscellaneous'],
  ...['Losses: in general', 'First values', 'Optimizers', 'Learning-rate schedules', 'Clipping and averaging'],
  ...['Datasets and batches', 'Tables', 'Images', 'Augmentation'],
  ...['Training', 'Metrics', 'Files', '*', 'Devices', 'Errors'],
]

/** The category of a name that `file` declares, relative to packages/descent/src/. */
export function categoryOf(file: string): string {
  return rules.find(([pattern]) => pattern.test(file))?.[1] ?? 'Other'
}
