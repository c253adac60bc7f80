/** Packages that are needed for some files only, loaded when such a file is read. */

/** What `load` imports, or an error that says what to install. */
export async function peer<T>(name: string, what: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load()
  } catch (error) {
    throw new Error(`${what} needs the package '${name}', which did not load: npm install ${name}`, { cause: error })
  }
}
