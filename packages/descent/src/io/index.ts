/** Files. */
export { loadProgram, type Port, Program } from './program.ts'
export {
  decodeSafetensors,
  encodeSafetensors,
  loadSafetensors,
  type SafetensorsContent,
  saveSafetensors,
  type Tensors,
} from './safetensors.ts'
