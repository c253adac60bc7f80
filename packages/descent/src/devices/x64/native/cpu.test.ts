import assert from 'node:assert/strict'
import { availableParallelism } from 'node:os'
import { test } from 'node:test'
import { cpu, decodeCpu, lacking } from './cpu.ts'
import type { Cpuid, Registers } from './cpuid.ts'
import { native } from './koffi.ts'

/** Lines of `leaf.subleaf eax ebx ecx edx`, all hexadecimal; what is not listed is zero. */
function stored(dump: string, xcr0: number): Cpuid {
  const leaves = new Map<string, Registers>()
  for (const line of dump.trim().split('\n')) {
    const [leaf, ...words] = line.trim().split(/\s+/)
    leaves.set(leaf as string, words.map((word) => Number.parseInt(word, 16)) as unknown as Registers)
  }
  return {
    leaf: (leaf, subleaf = 0) => leaves.get(`${leaf.toString(16)}.${subleaf.toString(16)}`) ?? [0, 0, 0, 0],
    xcr0: () => xcr0,
  }
}

// As printed in the README of a CPUID decoder for an Intel Core i7-8700 (Coffee Lake: AVX2, no AVX-512).
const coffeeLake = `
  0.0        00000016 756e6547 6c65746e 49656e69
  1.0        000906ea 09100800 7ffafbff bfebfbff
  4.0        1c004121 01c0003f 0000003f 00000000
  4.1        1c004122 01c0003f 0000003f 00000000
  4.2        1c004143 00c0003f 000003ff 00000000
  4.3        1c03c163 03c0003f 00002fff 00000006
  7.0        00000000 029c6fbf 40000000 9c002400
  80000000.0 80000008 00000000 00000000 00000000
  80000001.0 00000000 00000000 00000121 2c100000
  80000002.0 65746e49 2952286c 726f4320 4d542865
  80000003.0 37692029 3037382d 50432030 20402055
  80000004.0 30322e33 007a4847 00000000 00000000
`
// libcpuid, tests/amd/zen4/amd-ryzen-7-7700x-8-core-processor.test, first logical processor.
const zen4 = `
  0.0        00000010 68747541 444d4163 69746e65
  1.0        00a60f12 00100800 7ef8320b 178bfbff
  7.0        00000001 f1bf97a9 00405fce 10000010
  80000000.0 80000028 68747541 444d4163 69746e65
  80000001.0 00a60f12 00000000 75c237ff 2fd3fbff
  80000002.0 20444d41 657a7952 2037206e 30303737
  80000003.0 2d382058 65726f43 6f725020 73736563
  80000004.0 2020726f 20202020 20202020 00202020
  8000001d.0 00004121 01c0003f 0000003f 00000000
  8000001d.1 00004122 01c0003f 0000003f 00000000
  8000001d.2 00004143 01c0003f 000007ff 00000002
  8000001d.3 0003c163 03c0003f 00007fff 00000001
`
const savesYmm = 0x07
const savesZmm = 0xe7

test('an Intel processor with AVX2 only', () => {
  assert.deepEqual(decodeCpu(stored(coffeeLake, 0x1f), 12), {
    vendor: 'GenuineIntel',
    brand: 'Intel(R) Core(TM) i7-8700 CPU @ 3.20GHz',
    features: { avx2: true, fma: true, bmi1: true, bmi2: true, rdtscp: true, avx512: false },
    l1d: { bytes: 32 * 1024, lineBytes: 64, ways: 8, sharedBy: 2 },
    l2: { bytes: 256 * 1024, lineBytes: 64, ways: 4, sharedBy: 2 },
    l3: { bytes: 12 * 1024 * 1024, lineBytes: 64, ways: 16, sharedBy: 16 },
    threads: 12,
  })
})

test('an AMD Zen 4', () => {
  assert.deepEqual(decodeCpu(stored(zen4, savesZmm), 16), {
    vendor: 'AuthenticAMD',
    brand: 'AMD Ryzen 7 7700X 8-Core Processor',
    features: { avx2: true, fma: true, bmi1: true, bmi2: true, rdtscp: true, avx512: true },
    l1d: { bytes: 32 * 1024, lineBytes: 64, ways: 8, sharedBy: 2 },
    l2: { bytes: 1024 * 1024, lineBytes: 64, ways: 8, sharedBy: 2 },
    l3: { bytes: 32 * 1024 * 1024, lineBytes: 64, ways: 16, sharedBy: 16 },
    threads: 16,
  })
})

test('registers that the operating system does not save are not used', () => {
  assert.deepEqual(decodeCpu(stored(zen4, savesYmm), 16).features, {
    avx2: true,
    fma: true,
    bmi1: true,
    bmi2: true,
    rdtscp: true,
    avx512: false,
  })
  const { avx2, fma, avx512 } = decodeCpu(stored(zen4, 0x03), 16).features
  assert.deepEqual([avx2, fma, avx512], [false, false, false])
})

test('what a processor lacks is named', () => {
  assert.equal(lacking(decodeCpu(stored(coffeeLake, 0x1f), 12)), null)
  const without = coffeeLake.replace('029c6fbf', '029c6f9f')
  assert.match(lacking(decodeCpu(stored(without, 0x1f), 12)) ?? '', /a processor with AVX2, which Intel\(R\) Core/)
})

test('a processor that says little', () => {
  const { features, l1d, l3 } = decodeCpu(stored('0.0 00000001 0 0 0', 0), 1)
  assert.deepEqual([l1d, l3, features.avx2], [null, null, false])
})

test('this processor, as Linux sees it', { skip: typeof native() === 'string' }, async () => {
  const { readFile } = await import('node:fs/promises')
  const info = await readFile('/proc/cpuinfo', 'utf8')
  const field = (name: string): string => info.match(new RegExp(`^${name}\\s*: (.*)$`, 'm'))?.[1] ?? ''
  const flags = field('flags').split(' ')
  const { vendor, brand, features, l1d, threads } = cpu()
  assert.equal(vendor, field('vendor_id'))
  assert.equal(brand, field('model name').trim())
  assert.equal(features.avx2, flags.includes('avx2'))
  assert.equal(features.fma, flags.includes('fma'))
  assert.equal(features.bmi2, flags.includes('bmi2'))
  assert.equal(features.rdtscp, flags.includes('rdtscp'))
  const parts = ['avx512f', 'avx512vl', 'avx512dq', 'avx512bw']
  assert.equal(
    features.avx512,
    parts.every((part) => flags.includes(part)),
  )
  assert.ok(l1d === null || (l1d.bytes >= 16 * 1024 && l1d.bytes <= 256 * 1024))
  assert.equal(threads, availableParallelism())
})
