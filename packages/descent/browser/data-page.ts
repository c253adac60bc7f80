/** What the data test does, in Node and in a page: a table, pictures, augmentation and a stream, from workers and without. */
import { compose, mixUp, randomRotate, randomShift } from '../src/data/augment.ts'
import { readCsv } from '../src/data/csv.ts'
import { imageFolder } from '../src/data/image-folder.ts'
import { DataLoader, type NumberedBatch } from '../src/data/loader.ts'
import { StreamLoader } from '../src/data/stream-loader.ts'
import { csvStream } from '../src/data/table-stream.ts'

/** A picture of 2 × 2 red pixels. */
const red =
  'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACAQMAAABIeJ9nAAAAA1BMVEX/AAAZ4gk3AAAADElEQVQImWNgYGAAAAAEAAGjChXjAAAAAElFTkSuQmCC'

/** Every batch of two epochs as numbers. */
async function all(loader: AsyncIterable<NumberedBatch>): Promise<number[][]> {
  const batches: number[][] = []
  for (let epoch = 0; epoch < 2; epoch++) {
    for await (const { x, y, numbers } of loader)
      batches.push([...numbers, ...x.shape, ...x.data(), ...y.shape, ...y.data()])
  }
  return batches
}

export async function readData(numWorkers: 0 | 1): Promise<unknown> {
  const text = `x,y,kind\n${Array.from({ length: 40 }, (_, i) => `${i / 8},${i % 5},"k ""${i % 3}"""`).join('\r\n')}`
  const packed = new Blob([text]).stream().pipeThrough(new CompressionStream('gzip'))
  const file = new Uint8Array(await new Response(packed).arrayBuffer())
  const table = await readCsv(file, { types: { kind: 'category' } })
  const arrays = new DataLoader(table.toDataset({ target: 'kind' }), { batchSize: 16, shuffle: true, numWorkers })
  const stream = csvStream(new Blob([file]), { types: { kind: 'category' } })
  const rows = stream.examples(await stream.fit({ target: 'kind' }))
  const streamed = new StreamLoader(rows, { batchSize: 16, shuffleBuffer: 10, numWorkers })
  const png = new Blob([Uint8Array.from(atob(red), (c) => c.charCodeAt(0))])
  const files = ['a/1.png', 'b/2.png', 'b/3.png'].map((path) => ({ path, file: png }))
  const bad = { path: 'a/bad.png', file: new Blob(['no picture']) }
  const images = new DataLoader(await imageFolder([...files, bad], { size: 2, onBad: 'skip' }), {
    ...{ batchSize: 4, shuffle: true, numWorkers },
    transform: compose(randomRotate({ degrees: 20 }), randomShift({ max: 1 }), mixUp({ classes: 2 })),
  })
  try {
    return {
      table: [...table.rows()].slice(0, 5),
      arrays: await all(arrays),
      streamed: await all(streamed),
      images: await all(images),
      skipped: images.skipped.map(({ name }) => name),
    }
  } finally {
    for (const loader of [arrays, streamed, images]) await loader.close()
  }
}
