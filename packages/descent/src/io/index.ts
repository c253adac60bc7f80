/** Files. */

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
