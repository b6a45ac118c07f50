/**
 * The OCI runtime specification 1.2 (config.md, config-linux.md) as types: the middle form between a
 * container's configuration and the plan of kernel operations. What is here can be given to any OCI
 * runtime as config.json.
 */
import type { OciSeccomp } from "../seccomp/SeccompProfile.ts"
import type { Resources } from "../cgroup/Resources.ts"

export const ociVersion = "1.2.0"

export interface OciMount {
  readonly destination: string
  readonly type?: string
  readonly source?: string
  readonly options?: ReadonlyArray<string>
}

export interface OciIdMapping {
  readonly containerID: number
  readonly hostID: number
  readonly size: number
}

export interface OciNamespace {
  readonly type: "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup" | "time"
  readonly path?: string
}

export interface OciDevice {
  readonly type: "c" | "b" | "u" | "p"
  readonly path: string
  readonly major?: number
  readonly minor?: number
  readonly fileMode?: number
  readonly uid?: number
  readonly gid?: number
}

export interface OciCapabilities {
  readonly bounding: ReadonlyArray<string>
  readonly effective: ReadonlyArray<string>
  readonly permitted: ReadonlyArray<string>
  readonly inheritable: ReadonlyArray<string>
  readonly ambient: ReadonlyArray<string>
}

export interface OciRlimit {
  /** `RLIMIT_NOFILE` and so on. */
  readonly type: string
  readonly soft: number
  readonly hard: number
}

export interface OciProcess {
  readonly terminal: boolean
  readonly consoleSize?: { readonly height: number; readonly width: number }
  readonly user: {
    readonly uid: number
    readonly gid: number
    readonly umask?: number
    readonly additionalGids?: ReadonlyArray<number>
  }
  readonly args: ReadonlyArray<string>
  readonly env: ReadonlyArray<string>
  readonly cwd: string
  readonly capabilities: OciCapabilities
  readonly rlimits?: ReadonlyArray<OciRlimit>
  readonly noNewPrivileges: boolean
  readonly oomScoreAdj?: number
}

export interface OciLinux {
  readonly namespaces: ReadonlyArray<OciNamespace>
  readonly uidMappings?: ReadonlyArray<OciIdMapping>
  readonly gidMappings?: ReadonlyArray<OciIdMapping>
  readonly timeOffsets?: {
    readonly monotonic?: { readonly secs: number; readonly nanosecs: number }
    readonly boottime?: { readonly secs: number; readonly nanosecs: number }
  }
  readonly devices?: ReadonlyArray<OciDevice>
  readonly cgroupsPath: string
  readonly resources: Resources
  readonly rootfsPropagation?: string
  readonly seccomp?: OciSeccomp
  readonly sysctl?: { readonly [key: string]: string }
  readonly maskedPaths?: ReadonlyArray<string>
  readonly readonlyPaths?: ReadonlyArray<string>
}

export interface RuntimeSpec {
  readonly ociVersion: string
  readonly root: { readonly path: string; readonly readonly: boolean }
  readonly hostname?: string
  readonly domainname?: string
  readonly process: OciProcess
  readonly mounts: ReadonlyArray<OciMount>
  readonly annotations?: { readonly [key: string]: string }
  readonly linux: OciLinux
}
