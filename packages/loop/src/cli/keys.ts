/** Keys from the terminal one at a time, without Enter; from a pipe, its characters, so that a script can answer too. */

export interface Keys {
  /** The next key: a character, `enter`, `escape`, `backspace`, or null at the end of input or Ctrl-C. */
  next(): Promise<string | null>
  close(): void
}

export function readKeys(input: NodeJS.ReadStream = process.stdin): Keys {
  const waiting: string[] = []
  let wake: (() => void) | null = null
  let ended = false
  const onData = (text: string) => {
    waiting.push(...split(text))
    wake?.()
  }
  const onEnd = () => {
    ended = true
    wake?.()
  }
  if (input.isTTY) input.setRawMode(true)
  input.setEncoding('utf8')
  input.on('data', onData).on('end', onEnd)
  input.resume()
  return {
    async next() {
      while (waiting.length === 0 && !ended) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      const key = waiting.shift() ?? null
      if (key === '\x03' || key === '\x04') ended = true
      return key === '\x03' || key === '\x04' ? null : key
    },
    close() {
      input.off('data', onData).off('end', onEnd)
      if (input.isTTY) input.setRawMode(false)
      input.pause()
    },
  }
}

/** Escape sequences (arrows and such) are one key, which nobody asked for: left out. */
function split(text: string): string[] {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the keys.
  const keys = text.replaceAll(/\x1b\[[0-9;]*[A-Za-z~]|\x1bO./g, '')
  return [...keys.replaceAll('\r\n', '\n')].map((key) => named[key] ?? key)
}

const named: Record<string, string> = {
  '\n': 'enter',
  '\r': 'enter',
  '\x1b': 'escape',
  '\x7f': 'backspace',
  '\b': 'backspace',
}
