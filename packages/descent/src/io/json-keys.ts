/** JSON.parse keeps the last of two equal keys without a word; this finds them. */

/** The first key that stands twice in one object of a text known to be JSON, or null. */
export function duplicateKey(json: string): string | null {
  const open: Set<string>[] = []
  // Strings, and the brackets outside of them: all that matters for telling keys from values.
  const tokens = /"(?:[^"\\]|\\.)*"(\s*:)?|[{}]/g
  for (const [token, colon] of json.matchAll(tokens)) {
    if (token === '{') open.push(new Set())
    else if (token === '}') open.pop()
    else if (colon !== undefined) {
      const key = JSON.parse(token.slice(0, token.length - colon.length)) as string
      const keys = open.at(-1)
      if (keys?.has(key)) return key
      keys?.add(key)
    }
  }
  return null
}
