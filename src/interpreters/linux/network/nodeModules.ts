/** Node's modules for networks, loaded at the first request: commands that make none start without them. */
export const http = (): typeof import("node:http") => process.getBuiltinModule("node:http")
export const https = (): typeof import("node:https") => process.getBuiltinModule("node:https")
export const tls = (): typeof import("node:tls") => process.getBuiltinModule("node:tls")
export const net = (): typeof import("node:net") => process.getBuiltinModule("node:net")
