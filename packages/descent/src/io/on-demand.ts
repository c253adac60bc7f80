/** What is loaded when models or archives are first read or written: one piece, so that a page asks once. */
export { readModel, writeModel } from './model-folder.ts'
export { readZip, writeZip } from './zip.ts'
