/** ONNX Runtime's native build as a contender: inference only. */
import { InferenceSession, Tensor } from 'onnxruntime-node'
import { serve } from '../contenders/serve.ts'
import { sequence } from '../workload.ts'
import { cnnModel, mlpModel } from './onnx-model.ts'

if (process.argv[2] === 'once') {
  process.stdout.write('cannot no gradient\n', () => process.exit(0))
} else {
  await serve(async (workload, threads) => {
    if (!workload.startsWith('W5')) return 'inference only'
    const session = await InferenceSession.create(workload === 'W5_mlp' ? mlpModel() : cnnModel(), {
      intraOpNumThreads: threads,
    })
    const x = new Tensor('float32', sequence(784), workload === 'W5_mlp' ? [1, 784] : [1, 1, 28, 28])
    return () => session.run({ x })
  })
  process.exit(0)
}
