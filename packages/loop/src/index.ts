/** The loop: the life of a model in one folder. */
export { UserError } from './errors.ts'
