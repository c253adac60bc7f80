/** The library that reads and writes pictures, loaded where a picture comes: projects of rows and texts do without it. */
import { UserError } from '../errors.ts'

/** @throws {UserError} where it is not installed, or has no build for this machine */
export async function loadSharp(): Promise<typeof import('sharp')['default']> {
  try {
    return (await import('sharp')).default
  } catch (error) {
    const [why] = (error as Error).message.split('\n')
    throw new UserError(`Pictures need the package sharp, which cannot be loaded (${why}): \`npm install sharp\`.`)
  }
}
