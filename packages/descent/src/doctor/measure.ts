/** How fast the machine is, and how fast a matrix product is on each fast device: with one thread, and with all. */
import type { Device } from '../devices/device.ts'
import { measureLimits } from '../devices/wasm/limits.ts'
import type { FastDevices } from './devices.ts'
import type { MeasuredLimits, MeasuredProduct } from './diagnosis.ts'
import { productPlan } from './product.ts'

const size = 1024
const milliseconds = 250

export async function measureMachine({ x64, wasm }: FastDevices): Promise<MeasuredLimits[]> {
  if (x64) {
    const own = await import('../devices/x64/limits.ts')
    return counts(x64).map((threads) => ({ by: 'x64', ...own.measureLimits(threads) }))
  }
  if (!wasm) return []
  return [{ by: 'wasm', ...measureLimits() }]
}

export async function measureProducts(
  { x64, wasm }: FastDevices,
  limits: readonly MeasuredLimits[],
): Promise<MeasuredProduct[]> {
  const products: MeasuredProduct[] = []
  for (const device of [x64, wasm]) {
    if (!device) continue
    for (const threads of counts(device)) {
      const flops = await productFlops(device, threads)
      const limit = limits.find((one) => one.threads === threads)
      products.push({ device: device.name, threads, flops, share: limit ? flops / limit.flops : null })
    }
  }
  return products
}

interface Pooled extends Device {
  readonly pool: { readonly threads: number; setThreads(count: number): void }
}

function counts({ pool }: Pooled): number[] {
  return pool.threads > 1 ? [1, pool.threads] : [1]
}

async function productFlops(device: Pooled, threads: number): Promise<number> {
  const values = Float32Array.from({ length: size * size }, (_, i) => ((i * 7) % 13) / 8 - 0.75)
  const args = [device.adopt('f32', values), device.adopt('f32', values.slice()), device.allocate('f32', size * size)]
  const runner = device.prepare(productPlan(size, size, size))
  const run = (): number => {
    const start = performance.now()
    runner.run(args)
    return performance.now() - start
  }
  const before = device.pool.threads
  device.pool.setThreads(threads)
  try {
    // Workers are started with the second run; those of a page come up only when its own thread is free.
    run()
    run()
    await new Promise((resolve) => setTimeout(resolve, 30))
    let best = run()
    for (const until = performance.now() + milliseconds; performance.now() < until; ) best = Math.min(best, run())
    return (2 * size ** 3) / (best / 1000)
  } finally {
    device.pool.setThreads(before)
  }
}
