import { writeRows, kept } from './packages/loop/src/sourcing/test-kill.ts'
import { initProject, importFiles } from '@descent/loop'
import { rmSync } from 'node:fs'
rmSync('/tmp/kt', {recursive:true, force:true})
const time = async (n, f) => { const c=process.cpuUsage(), t=performance.now(); await f(); const u=process.cpuUsage(c); console.log(n, (performance.now()-t).toFixed(0), 'cpu', ((u.user+u.system)/1000).toFixed(0)) }
const p = await initProject('/tmp/kt', 'tabular')
await time('write', () => writeRows('/tmp/kt/r.csv', 85000))
await time('import', () => importFiles(p, ['/tmp/kt/r.csv'], {target:'k'}))
await p.close()
await time('kept', () => kept('/tmp/kt'))
