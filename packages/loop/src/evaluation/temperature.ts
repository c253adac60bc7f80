/** A temperature applied: logits from probabilities, and probabilities from logits. */

/** Probabilities [N, K] of logits [N, K] at a temperature: softmax(z / T), row by row. */
export function withTemperature(logits: Float32Array, classes: number, temperature: number): Float32Array {
  const found = new Float32Array(logits.length)
  for (let at = 0; at < logits.length; at += classes) {
    let highest = -Infinity
    for (let k = 0; k < classes; k++) highest = Math.max(highest, logits[at + k] as number)
    let sum = 0
    for (let k = 0; k < classes; k++) sum += Math.exp(((logits[at + k] as number) - highest) / temperature)
    for (let k = 0; k < classes; k++)
      found[at + k] = Math.exp(((logits[at + k] as number) - highest) / temperature) / sum
  }
  return found
}

/**
 * Logits of probabilities, for models that give no others: ln p, of which softmax is p again. p is taken as at least 1e-12.
 */
export function logitsOf(probabilities: Float32Array): Float32Array {
  return probabilities.map((p) => Math.log(Math.max(p, 1e-12)))
}
