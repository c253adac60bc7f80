/** What `inspection.ts` loads: every stage of the compiler as text, and the device `reference`. */
export { referenceDevice } from './devices/reference/device.ts'
export { listModule } from './devices/wasm/listing.ts'
export { printGraph } from './graph/print.ts'
export { printKernel, printPlan } from './kernel/print.ts'
