/**
 * Nops of 1 to 9 bytes, as Intel recommends them (Software Developer's Manual, volume 2, NOP).
 */

import type { CodeBuffer } from './code-buffer.ts'

const NOPS: readonly (readonly number[])[] = [
  [],
  [0x90],
  [0x66, 0x90],
  [0x0f, 0x1f, 0x00],
  [0x0f, 0x1f, 0x40, 0x00],
  [0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00],
  [0x0f, 0x1f, 0x80, 0x00, 0x00, 0x00, 0x00],
  [0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
  [0x66, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00],
]

const TEXT: readonly string[] = [
  '',
  'nop',
  'xchg ax,ax',
  'nop DWORD PTR [rax]',
  'nop DWORD PTR [rax+0x0]',
  'nop DWORD PTR [rax+rax*1+0x0]',
  'nop WORD PTR [rax+rax*1+0x0]',
  'nop DWORD PTR [rax+0x0]',
  'nop DWORD PTR [rax+rax*1+0x0]',
  'nop WORD PTR [rax+rax*1+0x0]',
]

/** Writes the longest nop of at most `count` bytes and returns its length. */
export function multiByteNop(code: CodeBuffer, count: number): number {
  const length = Math.min(count, 9)
  const nop = NOPS[length] as readonly number[]
  for (let i = 0; i < length; i++) code.byte(nop[i] as number)
  if (code.listing) code.lines.push(TEXT[length] as string)
  return length
}
