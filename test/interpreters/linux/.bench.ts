import { Effect } from "effect"
import * as L from "/work/main/src/interpreters/linux/LinuxKernel.ts"
import { perform } from "/work/main/src/programs/Kernel.ts"
import { decodeFrames } from "/work/main/src/domain/kernel/frames.ts"
import { mkdirSync, rmSync } from "node:fs"
mkdirSync("/dev/shm/fxt2/run", {recursive:true}); 
const spec = (program: any) => ({ id: "abc", directory: "/dev/shm/fxt2/run", stdio: { terminal:false, rows:0, columns:0, stdin:"null" as const}, namespaces: (process.env["NS"]??"").split(",").filter(Boolean) as any, cgroup:"", uidMap:[], gidMap:[], program, killFiles:[], killProcs:[], removeDirectories:[], oomFile:"", onExit:[] })
const med=(a:number[])=>{a.sort((x,y)=>x-y);return `med ${a[a.length>>1]!.toFixed(3)} min ${a[0]!.toFixed(3)} p90 ${a[Math.floor(a.length*.9)]!.toFixed(3)}`}
const A:number[]=[],B:number[]=[],C:number[]=[],D:number[]=[]
const prog = Effect.gen(function*(){
  for (let i=0;i<300;i++) {
  const t=performance.now()
  const { channel } = yield* perform("SupervisorStart", { spec: spec([{_tag:"Exec", argv:["/bin/true"], env:[], reaper:false}]), attach: 15 })
  const t1=performance.now(); let t2=0,t3=0
  for(;;){ const b = yield* perform("ChannelRead",{channel}); if(b.length===0)break; for (const f of decodeFrames(b)) { if(f._tag==="Exited") t3=performance.now(); if(f._tag==="Started") t2=performance.now() } }
  A.push(t1-t);B.push(t2-t);C.push(t3-t);D.push(performance.now()-t)
  yield* perform("ChannelClose",{channel})
  }
})
await Effect.runPromise(prog.pipe(Effect.provide(L.layer({root:"/dev/shm/fxt2", execRoot:"/dev/shm/fxt2"}))))
console.log("spawn",med(A)); console.log("started",med(B)); console.log("exited",med(C)); console.log("eof",med(D))
rmSync("/dev/shm/fxt2",{recursive:true})
