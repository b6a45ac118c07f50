import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import { checkSysctls, normalizeSysctl } from "../../../src/domain/container/sysctl.ts"

const own = { net: true, ipc: true, uts: true }
const refused = (key: string, of = own) => Result.isFailure(checkSysctls({ [key]: "1" }, of))

describe("sysctls", () => {
  it("of the container's own namespaces are allowed, in either spelling", () => {
    assert.deepStrictEqual(
      checkSysctls({ "net/ipv4/ip_forward": "1", "kernel.shmmax": "1000", "fs.mqueue.msg_max": "20" }, own),
      Result.succeed({ "net.ipv4.ip_forward": "1", "kernel.shmmax": "1000", "fs.mqueue.msg_max": "20" })
    )
  })

  it("that would change the host are refused", () => {
    for (const key of ["vm.overcommit_memory", "kernel.panic", "kernel.core_pattern", "fs.file-max", "kernel.hostname", "net", "kernel/../vm"]) {
      assert.isTrue(refused(key), key)
    }
  })

  it("of a namespace that is shared are refused", () => {
    assert.isTrue(refused("net.ipv4.ip_forward", { ...own, net: false }))
    assert.isTrue(refused("kernel.sem", { ...own, ipc: false }))
    assert.isTrue(refused("kernel.domainname", { ...own, uts: false }))
  })

  it("keep dots inside of interface names when slashes separate", () => {
    assert.strictEqual(normalizeSysctl("net/ipv4/conf/eth0.100/forwarding"), "net.ipv4.conf.eth0/100.forwarding")
    assert.strictEqual(normalizeSysctl("net.ipv4.conf.eth0/100.forwarding"), "net.ipv4.conf.eth0/100.forwarding")
  })
})
