/** Files. */
export type { Registry } from './architecture.ts'
export { loadModel, type ModelOptions, saveModel } from './model.ts'
export { loadModelWith } from './model-with.ts'
export {
  decodeNpy,
  decodeNpz,
  encodeNpy,
  encodeNpz,
  loadNpy,
  loadNpz,
  type NpzOptions,
  saveNpy,
  saveNpz,
} from './numpy.ts'
export { loadProgram, type Port, Program } from './program.ts'
export {
  decodeSafetensors,
  encodeSafetensors,
  loadSafetensors,
  type SafetensorsContent,
  saveSafetensors,
  type Tensors,
} from './safetensors.ts'
