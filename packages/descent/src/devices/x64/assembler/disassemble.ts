/**
 * The same code through objdump, where one is installed, for the assembler's tests.
 */

import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Section } from './every-form.ts'

/** Whether objdump is here and knows x86-64. */
export function objdumpInstalled(): boolean {
  const run = spawnSync('objdump', ['--help'], { encoding: 'utf8' })
  return run.status === 0 && run.stdout.includes('x86-64')
}

/** objdump's text for each instruction, with its address. Addresses it refers to are written as `[0x40]`. */
export function disassemble(bytes: Uint8Array): { address: number; text: string }[] {
  const folder = mkdtempSync(join(tmpdir(), 'descent-objdump-'))
  try {
    const file = join(folder, 'code.bin')
    writeFileSync(file, bytes)
    const flags = ['-D', '-w', '-b', 'binary', '-m', 'i386:x86-64', '-M', 'intel', '--no-show-raw-insn', file]
    const run = spawnSync('objdump', flags, { encoding: 'utf8', maxBuffer: 1 << 28 })
    if (run.status !== 0) throw new Error(`objdump: ${run.stderr}`)
    const found: { address: number; text: string }[] = []
    for (const line of run.stdout.split('\n')) {
      const match = /^\s*([0-9a-f]+):\t(.*)$/.exec(line)
      if (match === null) continue
      found.push({ address: Number.parseInt(match[1] as string, 16), text: plainText(match[2] as string) })
    }
    return found
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** One space after the name, rip-relative operands as addresses, no count of lanes in a broadcast, no hint of a prefix. */
function plainText(text: string): string {
  const target = /# (0x[0-9a-f]+)/.exec(text)?.[1]
  return text
    .replace(/^\{evex\} /, '')
    .replace(/\s+# .*/, '')
    .replace(/\[rip[+-]0x[0-9a-f]+\]/, `[${target}]`)
    .replace(/\{1to\d+\}/, '')
    .replace(/\s+/g, ' ')
    .trim()
}

/** The instructions of a section's own listing, in the same form. Its first byte lies at `start`. */
export function listed({ code }: Section, start: number): string[] {
  const hex = (offset: number): string => `0x${(start + offset).toString(16)}`
  const instructions = code.lines.filter((line) => !/^(;|L\d+:$)/.test(line))
  return instructions.map((line) =>
    line
      .replace(/\{1to\d+\}/, '')
      .replace(/\[constant\+(0x[0-9a-f]+)\]/, (_, offset) => `[${hex(code.poolStart + Number(offset))}]`)
      .replace(/\bL(\d+)\b/, (_, label) => hex(code.offsetOf(Number(label)))),
  )
}
