/** The files of the simulated host, and of an image that has what a small Linux has. */
import { appletNames, stressNames } from "../behaviours/builtins.ts"
import type { HostProfile } from "../HostProfile.ts"
import type { HostFile } from "../makeWorld.ts"

const passwd = [
  "root:x:0:0:root:/root:/bin/sh",
  "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin",
  "www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin",
  "nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin"
].map((line) => `${line}\n`).join("")

const groups = ["root:x:0:", "daemon:x:1:", "tty:x:5:", "www-data:x:33:", "nogroup:x:65534:"]

const group = groups.map((line) => `${line}\n`).join("")

/** What stands where a program is: never executed, only looked up. */
const program = (name: string): HostFile => ({
  content: `\u007fELF simulated ${name}\n`,
  mode: 0o755
})

const directories: { readonly [path: string]: HostFile } = Object.fromEntries(
  [
    "/boot", "/etc", "/home", "/lib", "/media", "/mnt", "/opt", "/srv", "/usr/bin", "/usr/lib",
    "/usr/local/bin", "/usr/sbin", "/usr/share", "/var/cache", "/var/lib", "/var/log"
  ].map((path) => [path, { directory: true } as const])
)

/** `image`: without what only a host has. */
export const hostTree = (
  host: HostProfile,
  kind: "host" | "image" = "host"
): { readonly [path: string]: HostFile } => ({
  ...directories,
  ...(kind === "image" ?
    {
      "/dev": { directory: true },
      "/proc": { directory: true },
      "/sys": { directory: true },
      "/run": { directory: true }
    } :
    {}),
  "/tmp": { directory: true, mode: 0o1777 },
  "/var/tmp": { directory: true, mode: 0o1777 },
  "/root": { directory: true, mode: 0o700 },
  "/var/run": { link: "/run" },
  "/bin": { link: "usr/bin" },
  "/sbin": { link: "usr/sbin" },
  "/etc/passwd": passwd,
  "/etc/group": group,
  "/etc/shadow": { content: "root:*:19000:0:99999:7:::\n", mode: 0o640 },
  "/etc/hostname": `${host.hostname}\n`,
  "/etc/hosts": host.hosts,
  "/etc/resolv.conf": host.resolvConf,
  "/etc/os-release": "ID=simulated\nNAME=\"Simulated Linux\"\nPRETTY_NAME=\"Simulated Linux\"\n",
  "/usr/bin/busybox": program("busybox"),
  ...Object.fromEntries(
    appletNames.map((name): [string, HostFile] => [`/usr/bin/${name}`, { link: "busybox" }])
  ),
  ...Object.fromEntries(
    stressNames.map((name): [string, HostFile] => [`/usr/local/bin/${name}`, program(name)])
  )
})
