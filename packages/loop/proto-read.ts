import { sampleTable, inferredType } from './src/sourcing/sample.ts'
import { examineText } from './src/sourcing/encoding.ts'
import { readTable } from './src/sourcing/read-tables.ts'
import { canonicalOrder } from './src/sourcing/layout.ts'
const path='/tmp/w/proto/rows.csv'
let c=process.cpuUsage()
const lap=(n:string)=>{const u=process.cpuUsage(c); console.log(n, ((u.user+u.system)/200000).toFixed(2),'us/row'); c=process.cpuUsage()}
const e = await examineText(path,'rows')
lap('examine')
const sample = await sampleTable({format:'csv',path,name:'rows',encoding:e.encoding,delimiter:undefined})
lap('sample')
const kept = sample.names.filter(n=>n!=='target')
const columns = canonicalOrder(kept).map(name=>({name,at:sample.names.indexOf(name),type:inferredType(sample,sample.names.indexOf(name)),loose:false}))
const task = {what:'table' as const,format:'csv' as const,path,name:'rows',encoding:e.encoding,delimiter:',',label:{fixed:null,classes:null},layout:{content:'row' as const,width:20,names:sample.names,columns,target:{name:'target',at:19,as:'class' as const},group:null,time:null,left:[]}}
lap('plan')
for (let k=0;k<3;k++){ let n=0; for await (const b of readTable(task)) n+=b.rows; lap('read '+n) }
