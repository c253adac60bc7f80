/** `npm run doctor`: prints what was found, and what to do about what is missing. */
import { doctor } from './index.ts'

console.log(String(await doctor()))
// Workers may still sleep.
process.exit(0)
