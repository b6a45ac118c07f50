/**
 * What each operation may fail with, by the man pages of the system calls it makes (mkdir(2),
 * open(2), write(2), rename(2), unlink(2), flock(2), clone(2), connect(2), …). Faults are drawn
 * from here.
 */
import type { InitTag } from "../../domain/kernel/InitOp.ts"
import type { KernelTag } from "../../domain/kernel/KernelOp.ts"

const making = ["EACCES", "EEXIST", "ENOENT", "ENOMEM", "ENOSPC", "ENOTDIR", "EROFS", "EDQUOT"]
const writing = ["EACCES", "EIO", "EMFILE", "ENOENT", "ENOMEM", "ENOSPC", "EROFS", "EDQUOT"]
const reading = ["EACCES", "EIO", "EMFILE", "ENOENT", "ENOMEM", "ENOTDIR"]
const removing = ["EACCES", "EBUSY", "EIO", "EPERM", "EROFS", "ENOMEM"]
const records = ["EIO", "ENOMEM", "ENOSPC", "EROFS", "EAGAIN"]

export const possibleErrnos: { readonly [T in KernelTag]: ReadonlyArray<string> } = {
  HostRead: ["EACCES", "EIO", "EMFILE", "ENOMEM"],
  DirMake: making,
  DirEnsure: ["EACCES", "EEXIST", "ENOMEM", "ENOSPC", "ENOTDIR", "EROFS", "EDQUOT"],
  DirList: reading,
  FileWrite: writing,
  FileRead: [...reading, "EFBIG", "EISDIR"],
  FileReadRange: [...reading, "ESTALE"],
  FileAwait: ["EACCES", "EIO", "ENOMEM"],
  FileStat: ["EACCES", "EIO", "ENOENT", "ENOMEM", "ENOTDIR"],
  FileRemove: removing,
  TreeRemove: removing,
  TreeSize: reading,
  LockAcquire: ["EACCES", "EMFILE", "ENOENT", "ENOLCK", "ENOMEM", "ENOSPC", "EROFS", "EINTR"],
  LockTry: ["EACCES", "EMFILE", "ENOENT", "ENOLCK", "ENOMEM", "ENOSPC", "EROFS"],
  LockRelease: ["EBADF", "EIO"],
  CgroupMake: ["EACCES", "EAGAIN", "EEXIST", "ENOENT", "ENOMEM", "ENOSPC", "EROFS"],
  CgroupEnsure: ["EACCES", "EAGAIN", "ENOENT", "ENOMEM", "ENOSPC", "EROFS"],
  CgroupWrite: ["EACCES", "EBUSY", "EINVAL", "ENODEV", "ENOENT", "ENOMEM", "ERANGE"],
  CgroupRead: ["EACCES", "EIO", "EMFILE", "ENOMEM"],
  CgroupProcesses: ["EACCES", "EIO", "EMFILE", "ENOMEM"],
  CgroupFreeze: ["EACCES", "EBUSY", "ENODEV", "ENOENT"],
  CgroupKill: ["EACCES", "EBUSY", "ENODEV"],
  CgroupRemove: ["EACCES", "EBUSY", "EROFS"],
  CgroupDevices: ["EACCES", "EINVAL", "ENOENT", "ENOMEM", "EPERM"],
  SupervisorStart: ["EAGAIN", "EMFILE", "ENOENT", "ENOMEM", "EPERM"],
  ChannelOpen: ["EACCES", "EAGAIN", "ECONNREFUSED", "EMFILE", "ENOENT"],
  ChannelRead: ["ECONNRESET", "EIO"],
  ChannelWrite: ["EPIPE", "ECONNRESET", "ENOMEM"],
  ChannelClose: ["EBADF", "EIO"],
  ProcessSignal: ["EPERM", "ESRCH"],
  RootRead: ["EACCES", "EFBIG", "EIO", "ELOOP", "EMFILE", "ENOMEM", "ESRCH"],
  RootStat: ["EACCES", "EIO", "ELOOP", "EMFILE", "ENOENT", "ENOTDIR", "ESRCH"],
  ArchiveRead: ["EACCES", "EIO", "EMFILE", "ENOENT", "ENOMEM", "ESRCH"],
  ArchiveWrite: ["EACCES", "EMFILE", "ENOENT", "ENOTDIR", "EROFS", "ESRCH"],
  ArchivePull: ["EIO", "ENOMEM"],
  ArchivePush: ["EBADMSG", "EIO", "ENOMEM", "ENOSPC", "EROFS"],
  ArchiveClose: ["EBADF", "EIO"],
  RecordPut: [...records, "ESTALE", "EEXIST"],
  RecordDelete: records,
  RecordGet: ["EIO", "ENOMEM", "EAGAIN"],
  RecordList: ["EIO", "ENOMEM", "EAGAIN"]
}

/** The same for the operations inside the child, by which a start can fail half way. */
export const possibleInitErrnos: { readonly [T in InitTag]: ReadonlyArray<string> } = {
  CgroupAttach: ["EACCES", "EBUSY", "ENOENT", "ENOSPC"],
  NamespaceUnshare: ["ENOMEM", "ENOSPC", "EPERM", "EUSERS"],
  NamespaceJoin: ["EINVAL", "ENOENT", "EPERM"],
  NamespaceEnter: ["EINVAL", "EPERM", "ESRCH"],
  TimeNamespace: ["EINVAL", "EPERM", "ERANGE"],
  Hostname: ["EINVAL", "EPERM"],
  Domainname: ["EINVAL", "EPERM"],
  MountPropagation: ["EINVAL", "EPERM"],
  OomScoreAdjust: ["EACCES", "EINVAL", "ENOENT"],
  TreeOpen: ["EINVAL", "EMFILE", "ENOENT", "EPERM"],
  RootOverlay: ["EINVAL", "ENODEV", "ENOENT", "ENOMEM", "EPERM"],
  PivotRoot: ["EBUSY", "EINVAL", "ENOTDIR", "EPERM"],
  DirMake: ["EACCES", "ENOSPC", "ENOTDIR", "EROFS"],
  SymlinkMake: ["EACCES", "ENOSPC", "EROFS"],
  NodeMake: ["EACCES", "ENOSPC", "EPERM", "EROFS"],
  MountFilesystem: ["EINVAL", "ELOOP", "ENODEV", "ENOMEM", "EPERM"],
  MountDevpts: ["EINVAL", "ENODEV", "ENOMEM", "EPERM"],
  MountTree: ["EBADF", "EINVAL", "ENOTDIR", "EPERM"],
  MaskPaths: ["ENODEV", "ENOMEM", "EPERM"],
  ReadonlyPaths: ["EINVAL", "EPERM"],
  MountAttributes: ["EINVAL", "EPERM"],
  Sysctl: ["EACCES", "EINVAL", "ENOENT", "EPERM", "EROFS"],
  LoopbackUp: ["EPERM"],
  Console: ["EACCES", "ENODEV", "ENOENT", "ENOSPC"],
  Rlimit: ["EINVAL", "EPERM"],
  Keyring: ["EDQUOT", "ENOMEM"],
  Personality: ["EINVAL"],
  Umask: ["EINVAL"],
  NoNewPrivileges: ["EINVAL"],
  Seccomp: ["EACCES", "EINVAL", "ENOMEM"],
  BoundingSet: ["EINVAL", "EPERM"],
  User: ["EINVAL", "EPERM"],
  Capabilities: ["EPERM"],
  WorkingDirectory: ["EACCES", "ENOENT", "ENOTDIR"],
  Exec: ["EACCES", "E2BIG", "ELOOP", "ENOENT", "ENOEXEC", "ENOMEM", "ETXTBSY"]
}
