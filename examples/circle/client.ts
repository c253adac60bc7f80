/** A client of the server: asks over HTTP, as any program would, and says now and then what a digit really was. */
import { isInRandomSlice } from '@descent/loop'
import { type Digit, side } from './digits.ts'

interface Answer {
  readonly id: string
  readonly label: string
  readonly version: number
}

export interface Tally {
  asked: number
  right: number
}

/** So many requests are on the way at a time. */
const atOnce = 16

/**
 * Sends each digit and counts the right answers. About those of the random slice it says what they really are: these alone
 * tell the accuracy without bias.
 */
export async function ask(address: string, digits: readonly Digit[], randomShare: number): Promise<Tally> {
  const tally = { asked: 0, right: 0 }
  let next = 0
  const one = async () => {
    for (let digit = digits[next++]; digit; digit = digits[next++]) {
      const answer = await predict(address, digit)
      tally.asked++
      if (answer.label === digit.label) tally.right++
      if (isInRandomSlice(answer.id, randomShare)) await say(address, answer.id, digit.label)
    }
  }
  await Promise.all(Array.from({ length: atOnce }, one))
  return tally
}

async function predict(address: string, { pixels }: Digit): Promise<Answer> {
  const body = JSON.stringify({ width: side, height: side, channels: 1, pixels: Array.from(pixels) })
  return (await post(`${address}/predict`, body)) as Answer
}

async function say(address: string, prediction: string, label: string): Promise<void> {
  await post(`${address}/feedback/${prediction}`, JSON.stringify({ value: label, who: 'replay' }))
}

async function post(url: string, body: string): Promise<unknown> {
  const response = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return response.json()
}
