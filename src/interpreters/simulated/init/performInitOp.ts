/**
 * One InitOp, performed for the draft's current process. A failure is thrown with its errno and
 * object.
 */
import type { InitOp } from "../../../domain/kernel/InitOp.ts"
import { alter, type Draft } from "../Draft.ts"
import { execProgram } from "./exec.ts"
import * as masks from "./maskOps.ts"
import * as mounts from "./mountOps.ts"
import * as namespaces from "./namespaceOps.ts"
import * as nodes from "./nodeOps.ts"
import * as settings from "./settingOps.ts"
import { console } from "./terminalOps.ts"

export const performInitOp = (draft: Draft, op: InitOp): void => {
  switch (op._tag) {
    case "CgroupAttach":
      return namespaces.cgroupAttach(draft, op)
    case "NamespaceUnshare":
      return namespaces.namespaceUnshare(draft, op)
    case "NamespaceJoin":
      return namespaces.namespaceJoin(draft, op)
    case "NamespaceEnter":
      return namespaces.namespaceEnter(draft, op)
    case "TimeNamespace":
      return namespaces.timeNamespace(draft, op)
    case "Hostname":
      return namespaces.hostname(draft, op)
    case "Domainname":
      return namespaces.domainname(draft, op)
    case "LoopbackUp":
      return namespaces.loopbackUp(draft)
    case "MountPropagation":
      return mounts.mountPropagation(draft, op)
    case "TreeOpen":
      return mounts.treeOpen(draft, op)
    case "RootOverlay":
      return mounts.rootOverlay(draft, op)
    case "RootBind":
      return mounts.rootBind(draft, op)
    case "PivotRoot":
      return mounts.pivot(draft, op)
    case "DirMake":
      return nodes.dirMake(draft, op)
    case "SymlinkMake":
      return nodes.symlinkMake(draft, op)
    case "NodeMake":
      return nodes.nodeMake(draft, op)
    case "MountFilesystem":
      return mounts.mountFilesystem(draft, op)
    case "MountDevpts":
      return mounts.mountDevpts(draft, op)
    case "MountTree":
      return mounts.mountTree(draft, op)
    case "MaskPaths":
      return masks.maskPaths(draft, op)
    case "ReadonlyPaths":
      return masks.readonlyPaths(draft, op)
    case "MountAttributes":
      return mounts.mountAttributes(draft, op)
    case "OomScoreAdjust":
      return settings.oomScoreAdjust(draft, op)
    case "Sysctl":
      return settings.sysctl(draft, op)
    case "Console":
      return console(draft, op)
    case "Rlimit":
      return settings.rlimit(draft, op)
    case "Keyring":
      alter(draft, draft.current, { keyring: op.name })
      return
    case "Personality":
      return settings.personality(draft, op)
    case "Umask":
      return settings.umask(draft, op)
    case "NoNewPrivileges":
      alter(draft, draft.current, { noNewPrivileges: true })
      return
    case "Seccomp":
      return settings.seccomp(draft, op)
    case "BoundingSet":
      return settings.boundingSet(draft, op)
    case "User":
      return settings.user(draft, op)
    case "Capabilities":
      return settings.capabilities(draft, op)
    case "WorkingDirectory":
      return settings.workingDirectory(draft, op)
    case "Exec":
      return execProgram(draft, op)
  }
}
