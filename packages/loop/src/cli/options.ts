/** Checks of option values. */
import { InvalidArgumentError } from 'commander'

/** A whole number, `minimum` or more. */
export function wholeNumber(minimum: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (!Number.isInteger(number) || number < minimum) {
      throw new InvalidArgumentError(`It must be a whole number, ${minimum} or more.`)
    }
    return number
  }
}
