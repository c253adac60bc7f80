/**
 * Operands as text in Intel's syntax, as objdump writes them. Only used where a listing was asked for.
 */

import type { Mem } from './memory.ts'

const GP64 = 'rax rcx rdx rbx rsp rbp rsi rdi r8 r9 r10 r11 r12 r13 r14 r15'.split(' ')
const GP32 = 'eax ecx edx ebx esp ebp esi edi r8d r9d r10d r11d r12d r13d r14d r15d'.split(' ')
const GP16 = 'ax cx dx bx sp bp si di r8w r9w r10w r11w r12w r13w r14w r15w'.split(' ')
const GP8 = 'al cl dl bl spl bpl sil dil r8b r9b r10b r11b r12b r13b r14b r15b'.split(' ')

/** A general register of 1, 2, 4 or 8 bytes. */
export function gpText(n: number, bytes: number): string {
  const names = bytes === 8 ? GP64 : bytes === 4 ? GP32 : bytes === 2 ? GP16 : GP8
  return names[n] as string
}

export function vectorText(n: number, bytes: number): string {
  return `${bytes === 64 ? 'z' : bytes === 32 ? 'y' : 'x'}mm${n}`
}

const SIZES = ['', 'BYTE', 'WORD', '', 'DWORD', '', '', '', 'QWORD']

/** `DWORD PTR [rax+0x8]`; an index of `indexBytes` is a vector. */
export function memoryText(m: Mem, bytes: number, indexBytes = 8): string {
  const size = bytes <= 8 ? SIZES[bytes] : `${vectorText(0, bytes)[0]?.toUpperCase()}MMWORD`
  return `${size} PTR ${addressText(m, indexBytes)}`
}

/** `DWORD BCST [rax+0x8]{1to16}` */
export function broadcastText(m: Mem, element: number, lanes: number): string {
  return `${SIZES[element]} BCST ${addressText(m)}{1to${lanes}}`
}

/** `[rax+rcx*4-0x8]`, `[constant+0x40]`, `ds:0x1234`. */
export function addressText(m: Mem, indexBytes = 8): string {
  if (m.constant >= 0) return `[constant+${hex(m.constant + m.disp)}]`
  if (m.base < 0 && m.index < 0) return `ds:${hex64(m.disp)}`
  let text = m.base < 0 ? '' : gpText(m.base, 8)
  if (m.index >= 0) {
    const index = indexBytes === 8 ? gpText(m.index, 8) : vectorText(m.index, indexBytes)
    text += `${text === '' ? '' : '+'}${index}*${m.scale}`
  }
  // These forms always have a displacement.
  const shown = m.disp !== 0 || m.base < 0 || (m.base & 7) === 5
  if (shown) text += m.disp < 0 ? `-${hex(-m.disp)}` : `+${hex(m.disp)}`
  return `[${text}]`
}

export const hex = (value: number): string => `0x${value.toString(16)}`

/** As an unsigned number of 32 bits. */
export const hex32 = (value: number): string => hex(value >>> 0)

/** As an unsigned number of 64 bits. */
export const hex64 = (value: number): string =>
  value >= 0 ? hex(value) : `0x${(BigInt(value) + (1n << 64n)).toString(16)}`

const CONDITIONS = 'o no b ae e ne be a s ns p np l ge le g'.split(' ')

export const conditionText = (condition: number): string => CONDITIONS[condition] as string

const FLOAT_PREDICATES = (
  'eq lt le unord neq nlt nle ord eq_uq nge ngt false neq_oq ge gt true ' +
  'eq_os lt_oq le_oq unord_s neq_us nlt_uq nle_uq ord_s eq_us nge_uq ngt_uq false_os neq_os ge_oq gt_oq true_us'
).split(' ')
const INT_PREDICATES = ['eq', 'lt', 'le', '', 'neq', 'nlt', 'nle', '']

/** The name objdump gives a comparison with its predicate, `vcmplt_oqps`; '' where it keeps the number. */
export function compareText(op: string, predicate: number): string {
  if (op.startsWith('vcmp')) return `vcmp${FLOAT_PREDICATES[predicate]}${op.slice(4)}`
  const name = INT_PREDICATES[predicate]
  return name === '' ? '' : `vpcmp${name}${op.slice(5)}`
}

/** What an operation is called under EVEX, where that differs. */
const EVEX_NAMES: Record<string, string> = {
  vpand: 'vpandd',
  vpandn: 'vpandnd',
  vpor: 'vpord',
  vpxor: 'vpxord',
  vmovdqu: 'vmovdqu32',
  vmovdqa: 'vmovdqa32',
}

export const evexName = (op: string, evex: boolean): string => (evex ? (EVEX_NAMES[op] ?? op) : op)
