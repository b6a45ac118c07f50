import { loadAddon, builtFile } from "/work/main/src/interpreters/linux/addon.ts"
import { Channel } from "/work/main/src/interpreters/linux/Channel.ts"
import { reapLater } from "/work/main/src/interpreters/linux/Reaper.ts"
import { encodeSpec } from "/work/main/src/domain/kernel/wire.ts"
import { mkdirSync, readFileSync, rmSync } from "node:fs"
mkdirSync("/dev/shm/fxt2/run", {recursive:true})
const addon = loadAddon(builtFile("fx.node"))
const init = addon.sealedFile("fx-init", readFileSync(builtFile("fx-init")), true) as number
const spec = { id: "abc", directory: "/dev/shm/fxt2/run", stdio: { terminal:false, rows:0, columns:0, stdin:"null" as const}, namespaces: [], cgroup:"", uidMap:[], gidMap:[], program: [{_tag:"Exec" as const, argv:["/bin/true"] as [string], env:[], reaper:false}], killFiles:[], killProcs:[], removeDirectories:[], oomFile:"", onExit:[] }
const med=(a:number[])=>{a.sort((x,y)=>x-y);return `med ${a[a.length>>1]!.toFixed(3)} min ${a[0]!.toFixed(3)}`}
const E:number[]=[],S:number[]=[],C:number[]=[],R:number[]=[]
const out = new Int32Array(1)
for (let i=0;i<300;i++) {
  const t=performance.now(); const b = encodeSpec(spec, 15); const t1=performance.now()
  const pid = addon.spawn(init, "abc", b, out) as number; const t2=performance.now()
  reapLater(addon, pid); const t3=performance.now()
  const ch = new Channel(addon, out[0]!); const t4=performance.now()
  E.push(t1-t);S.push(t2-t1);R.push(t3-t2);C.push(t4-t3)
  await new Promise<void>(r=>{ (ch as any).socket.ref(); (ch as any).socket.on("close",()=>r()) })
}
console.log("encode",med(E),"\nspawn",med(S),"\nreap",med(R),"\nchannel",med(C))
rmSync("/dev/shm/fxt2",{recursive:true})
