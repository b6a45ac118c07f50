import { assert, describe, it } from "@effect/vitest"
import { hostsFile, resolvConf } from "../../../src/domain/container/networkFiles.ts"

describe("resolv.conf", () => {
  const host = "# made by hand\nnameserver 127.0.0.53\nnameserver 192.0.2.1 ; first\nsearch example.org lan\noptions ndots:2\n"
  const nothing = { dns: [], search: [], options: [] }

  it("leaves out servers on the host's loopback, which another network namespace cannot reach", () => {
    assert.strictEqual(
      resolvConf({ host, hostNetwork: false, ...nothing }),
      "nameserver 192.0.2.1\nsearch example.org lan\noptions ndots:2\n"
    )
    assert.include(resolvConf({ host, hostNetwork: true, ...nothing }), "nameserver 127.0.0.53\n")
  })

  it("has what the user set in place of the host's", () => {
    assert.strictEqual(
      resolvConf({ host, hostNetwork: false, dns: ["198.51.100.7"], search: ["."], options: ["edns0", "trust-ad"] }),
      "nameserver 198.51.100.7\noptions edns0 trust-ad\n"
    )
  })
})

describe("hosts", () => {
  it("names localhost in both families and what the user added", () => {
    const text = hostsFile({ host: undefined, extra: ["db:192.0.2.9", "six:[2001:db8::1]"] })
    assert.include(text, "127.0.0.1\tlocalhost\n")
    assert.include(text, "::1\tlocalhost")
    assert.isTrue(text.endsWith("192.0.2.9\tdb\n2001:db8::1\tsix\n"))
  })

  it("is the host's own with its network, and stays line by line", () => {
    assert.strictEqual(hostsFile({ host: "127.0.0.1 here", extra: ["a:192.0.2.1"] }), "127.0.0.1 here\n192.0.2.1\ta\n")
  })
})
