/** Files. */
export {
  decodeSafetensors,
  encodeSafetensors,
  loadSafetensors,
  type SafetensorsContent,
  saveSafetensors,
  type Tensors,
} from './safetensors.ts'
