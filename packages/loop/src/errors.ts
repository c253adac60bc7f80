/** Errors that are meant for the person at the keyboard: one clear sentence, no stack. */

/** Something in the input, the config or the command is wrong. The message says what, where, and what to do. */
export class UserError extends Error {
  override name = 'UserError'
}
