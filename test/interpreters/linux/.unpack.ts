import { Effect } from "effect"
import * as L from "/work/main/src/interpreters/linux/LinuxKernel.ts"
import { perform } from "/work/main/src/programs/Kernel.ts"
import * as fs from "node:fs"
const file = process.argv[2]!; const target = process.argv[3]!
fs.mkdirSync(target, {recursive:true})
const t0 = performance.now(), c0 = process.cpuUsage()
await Effect.runPromise(Effect.gen(function*(){
  const { archive } = yield* perform("ArchiveWrite", { root: {_tag:"Directory", path: target}, path:"/", noOverwriteDirNonDir:true })
  const fd = fs.openSync(file,"r"); 
  for(;;){ const b = Buffer.allocUnsafe(256<<10); const n = fs.readSync(fd,b); if(n===0)break; yield* perform("ArchivePush",{archive,data:b.subarray(0,n),last:false}) }
  yield* perform("ArchivePush",{archive,data:new Uint8Array(0),last:true})
  const t1=performance.now(), c=process.cpuUsage(c0)
  console.log("unpack", ((t1-t0)/1e3).toFixed(2), "s cpu user", (c.user/1e6).toFixed(2), "sys", (c.system/1e6).toFixed(2))
  yield* perform("ArchiveClose",{archive})
  const c1=process.cpuUsage(), t2=performance.now()
  const r = yield* perform("ArchiveRead",{root:{_tag:"Directory",path:target},path:"/",name:"",follow:false}); let n=0
  for(;;){const p=yield* perform("ArchivePull",r); if(p.length===0)break; n+=p.length}
  const c2=process.cpuUsage(c1); console.log("read",n>>20,"MiB",((performance.now()-t2)/1e3).toFixed(2),"s cpu user", (c2.user/1e6).toFixed(2), "sys", (c2.system/1e6).toFixed(2))
  const t3=performance.now(); console.log(yield* perform("TreeSize",{path:target}), ((performance.now()-t3)/1e3).toFixed(2)); const t4=performance.now()
  yield* perform("TreeRemove",{path:target}); console.log("remove",((performance.now()-t4)/1e3).toFixed(2))
}).pipe(Effect.provide(L.layer({root:"/tmp",execRoot:"/tmp"}))))
