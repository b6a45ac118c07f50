/** The root file system that containers of the laws have: the same names on every kernel. */
import type { HostFile } from "../../src/testing/index.ts"

/** Applets of busybox that both the real and the simulated one have. */
export const applets: ReadonlyArray<string> = [
  "sh", "true", "false", "echo", "cat", "sleep", "id", "ls", "mount", "env", "hostname", "ps", "tty", "kill", "seq", "head",
  "tail", "grep", "touch", "mkdir", "rm", "ln", "stat", "readlink", "dd", "mknod", "nproc", "wc", "test", "printf", "date",
  "mkfifo", "chown", "chmod", "cp", "mv"
]

const directories = ["/bin", "/etc", "/proc", "/sys", "/dev", "/tmp", "/root", "/home/alice", "/var/empty"]

export const passwd = "root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n"
export const group = "root:x:0:\nalice:x:1000:\nstaff:x:50:alice\nwheel:x:10:\n"

/** The image below `rootfs`, as files of a simulated host. */
export const simulatedImage = (rootfs: string): { readonly [path: string]: HostFile } => ({
  ...Object.fromEntries(directories.map((path) => [`${rootfs}${path}`, { directory: true } as const])),
  [`${rootfs}/bin/busybox`]: { content: "\u007fELF busybox", mode: 0o755 },
  ...Object.fromEntries(applets.map((name) => [`${rootfs}/bin/${name}`, { link: "busybox" }])),
  [`${rootfs}/etc/passwd`]: passwd,
  [`${rootfs}/etc/group`]: group
})
