/** Whether the device x64 has a place here at all, said before anything of it is loaded. */

/**
 * Why there is no point in trying: another engine, system or processor, or the variable DESCENT_X64=off. null where the
 * device ought to work.
 */
export function elsewhere(): string | null {
  const { process } = globalThis as { process?: NodeJS.Process }
  if (!process?.versions?.node || process.versions.bun || process.versions.deno || !process.getBuiltinModule) {
    return 'The device x64 runs in Node.js only. Use the device wasm here.'
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    return `The device x64 runs on Linux on x64 processors, and this is ${process.platform} on ${process.arch}. Use the device wasm here.`
  }
  if (process.env.DESCENT_X64 === 'off') return 'The variable DESCENT_X64=off turns the device x64 off.'
  return null
}
