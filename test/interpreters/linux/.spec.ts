import { encodeSpec } from "/work/main/src/domain/kernel/wire.ts"
import { writeFileSync } from "node:fs"
writeFileSync("/tmp/fxb/spec", encodeSpec({ id: "abc", directory: "/dev/shm/fxt2/run", stdio: { terminal:false, rows:0, columns:0, stdin:"null" as const}, namespaces: (process.env["NS"]??"").split(",").filter(Boolean) as any, cgroup:"", uidMap:[], gidMap:[], program: [{_tag:"Exec", argv:["/bin/true"], env:[], reaper:false}], killFiles:[], killProcs:[], removeDirectories:[], oomFile:"", onExit:[] }, 15))
