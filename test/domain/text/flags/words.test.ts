/** Flags whose values are names and words: what docker's engine, not its client, decides about them. */
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { parseBlockWeight } from "../../../../src/domain/text/flags/BlockDevice.ts"
import { parseCpus, parseOomScoreAdjustment, parsePidsLimit } from "../../../../src/domain/text/flags/Cpus.ts"
import { parseDevice } from "../../../../src/domain/text/flags/Device.ts"
import {
  parseContainerName, parseGroup, parseStopTimeout, parseUser
} from "../../../../src/domain/text/flags/Identity.ts"
import { parseExtraHost } from "../../../../src/domain/text/flags/NameService.ts"
import {
  joinedContainer, parseCgroupnsMode, parseIpcMode, parseNetworkMode, parsePidMode, parseUsernsMode, parseUtsMode
} from "../../../../src/domain/text/flags/NamespaceMode.ts"
import { formatPlatform, parsePlatform, platformOfMachine } from "../../../../src/domain/text/flags/Platform.ts"
import { parsePortRange } from "../../../../src/domain/text/flags/PortRange.ts"
import { parseRestartPolicy } from "../../../../src/domain/text/flags/RestartPolicy.ts"
import { parseSecurityOption } from "../../../../src/domain/text/flags/SecurityOption.ts"
import { parseSysctl } from "../../../../src/domain/text/flags/Sysctl.ts"
import { parseUlimit } from "../../../../src/domain/text/flags/Ulimit.ts"
import { causeOf, success } from "../results.ts"

describe("a user", () => {
  it("has a group or not", () => {
    expect(success(parseUser("1000:users"))).toEqual({ user: "1000", group: "users" })
    expect(success(parseUser("www-data"))).toEqual({ user: "www-data", group: "" })
    expect(success(parseUser(":5"))).toEqual({ user: "", group: "5" })
    expect(success(parseUser(""))).toEqual({ user: "", group: "" })
  })

  it.each(["2147483648", "-1", "0:2147483648", "99999999999999999999"])("%s is out of range", (text) => {
    expect(causeOf(parseUser(text))).toBe("uids and gids must be in range 0-2147483647")
  })

  it.each(["a:b:c", "a b", "a/b", "a,b", "a\0"])("%j is none", (text) => {
    expect(causeOf(parseUser(text))).toContain("invalid user")
  })

  it("may be in further groups", () => {
    expect(success(parseGroup("docker"))).toBe("docker")
    expect(causeOf(parseGroup(""))).toBe("invalid group: ")
    expect(causeOf(parseGroup("4294967295"))).toContain("must be in range")
  })
})

describe("a container's name", () => {
  it("follows docker's rule", () => {
    for (const name of ["ab", "a_b", "web.1", "0-x", "/web"]) {
      expect(success(parseContainerName(name))).toBe(name.replace("/", ""))
    }
    for (const name of ["", "a", "-ab", ".a", "_a", "a b", "a/b", "ab/", "é1", "//a", "a\n", "a".repeat(256)]) {
      expect(causeOf(parseContainerName(name)))
        .toBe(`Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`)
    }
  })
})

describe("a namespace", () => {
  const parsers = [parsePidMode, parseUtsMode, parseIpcMode, parseCgroupnsMode, parseUsernsMode]

  it("may be the container's own, by the word private", () => {
    expect(parsers.map((parse) => success(parse("private")))).toEqual(["", "", "private", "private", "private"])
    expect(parsers.map((parse) => success(parse("")))).toEqual(["", "", "private", "private", ""])
  })

  it("may be another container's", () => {
    for (const parse of [parsePidMode, parseUtsMode, parseIpcMode, parseNetworkMode]) {
      expect(joinedContainer(success(parse("container:web")))).toBe("web")
      expect(causeOf(parse("container:"))).toMatch(/invalid/)
    }
    for (const parse of [parseCgroupnsMode, parseUsernsMode]) expect(causeOf(parse("container:web"))).toMatch(/invalid/)
    expect(joinedContainer("host")).toBeUndefined()
  })

  it("of IPC has words of its own", () => {
    expect(causeOf(parseIpcMode("foo"))).toBe("invalid IPC mode: foo")
  })
})

describe("a network", () => {
  it.each(["name=foo", "foo=bar", "a b", "container", "ns:/x", "../x", "a,b"])("%s is none", (text) => {
    expect(causeOf(parseNetworkMode(text))).toMatch(/^invalid/)
  })
})

describe("a restart policy", () => {
  it.each([
    [
      "foo",
      "invalid restart policy: unknown policy 'foo'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
    ],
    [
      "Always",
      "invalid restart policy: unknown policy 'Always'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'"
    ],
    ["always:3", "invalid restart policy: maximum retry count can only be used with 'on-failure'"],
    ["no:-1", "invalid restart policy: maximum retry count can only be used with 'on-failure' and cannot be negative"],
    ["on-failure:-1", "invalid restart policy: maximum retry count cannot be negative"]
  ])("%s is refused", (text, cause) => {
    expect(causeOf(parseRestartPolicy(text))).toBe(cause)
  })
})

describe("a security option", () => {
  it.each([
    ["no-new-privileges", { _tag: "NoNewPrivileges", enabled: true }],
    ["no-new-privileges=true", { _tag: "NoNewPrivileges", enabled: true }],
    ["no-new-privileges:false", { _tag: "NoNewPrivileges", enabled: false }],
    ["seccomp=unconfined", { _tag: "Seccomp", profile: "unconfined" }],
    ["seccomp:/etc/a:b.json", { _tag: "Seccomp", profile: "/etc/a:b.json" }],
    ["seccomp=/etc/a.json", { _tag: "Seccomp", profile: "/etc/a.json" }],
    ["systempaths=unconfined", { _tag: "UnconfinedSystemPaths" }],
    ["apparmor=profile", { _tag: "AppArmor", profile: "profile" }],
    ["label:level:s0", { _tag: "Label", value: "level:s0" }],
    ["label=type:t", { _tag: "Label", value: "type:t" }],
    ["writable-cgroups=false", { _tag: "WritableCgroups", enabled: false }]
  ])("%s is %j", (text, option) => {
    expect(success(parseSecurityOption(text))).toEqual(option)
  })

  it.each(["no-new-privileges=maybe", "systempaths=x", "foo=bar", "constructor=x"])("%s is refused", (text) => {
    expect(causeOf(parseSecurityOption(text))).toBe(`Invalid --security-opt: "${text}"`)
  })
})

describe("a platform", () => {
  it("without a part has the host's", () => {
    const host = { os: "linux", architecture: "arm64" }
    expect(success(parsePlatform("linux", host))).toEqual({ os: "linux", architecture: "arm64", variant: "" })
    expect(success(parsePlatform("s390x", host))).toEqual({ os: "linux", architecture: "s390x", variant: "" })
  })

  it.each([
    ["x86_64", "linux/amd64"], ["aarch64", "linux/arm64"], ["armv6l", "linux/arm/v6"], ["armv7l", "linux/arm/v7"], ["i686", "linux/386"],
    ["loongarch64", "linux/loong64"], ["riscv64", "linux/riscv64"]
  ])("of a machine that calls itself %s is %s", (machine, platform) => {
    expect(formatPlatform(platformOfMachine(machine))).toBe(platform)
  })

  it("is the same when read again", () => {
    const part = fc.constantFrom(
      "linux", "darwin", "arm", "arm64", "amd64", "x86_64", "armhf", "v6", "v7", "v8", "8", "V1", "riscv64"
    )
    const host = { os: "linux", architecture: "amd64" }
    fc.assert(fc.property(fc.array(part, { minLength: 2, maxLength: 3 }), (parts) => {
      const platform = success(parsePlatform(parts.join("/"), host))
      expect(success(parsePlatform(formatPlatform(platform), host))).toEqual(platform)
    }))
  })
})

describe("numbers", () => {
  it("of CPUs are exact to the billionth", () => {
    fc.assert(fc.property(fc.nat(10_000), fc.nat(999_999_999), (whole, billionths) => {
      expect(success(parseCpus(`${whole}.${billionths.toString().padStart(9, "0")}`))).toBe(whole * 1e9 + billionths)
      expect(success(parseCpus(`${whole * 1e9 + billionths}e-9`))).toBe(whole * 1e9 + billionths)
      expect(success(parseCpus(`${whole * 1e9 + billionths}/1000000000`))).toBe(whole * 1e9 + billionths)
    }))
  })

  it("of CPUs that nobody has are refused, however they are written", () => {
    for (const text of ["-1", "99999999999"]) expect(causeOf(parseCpus(text))).toBe("value out of range")
    for (const text of ["1e400", "1e-400", "9".repeat(100), "1/0", "0x2"]) {
      expect(causeOf(parseCpus(text))).toContain("as a rational number")
    }
  })

  it("outside the kernel's range are refused", () => {
    expect(causeOf(parseOomScoreAdjustment("2000")))
      .toBe("Invalid value 2000, range for oom score adj is [-1000, 1000]")
    expect(causeOf(parseBlockWeight("5"))).toBe("range of blkio weight is from 10 to 1000")
    expect(causeOf(parsePidsLimit("-2"))).toContain("value out of range")
    expect(causeOf(parseStopTimeout("-2"))).toContain("value out of range")
    expect(causeOf(parseUlimit("nofile=-2"))).toContain("value out of range")
    expect(causeOf(parseUlimit("nofile=9223372036854775807"))).toContain("value out of range")
  })
})

describe("other words", () => {
  it("a host without white space in its name", () => {
    expect(causeOf(parseExtraHost("na me:1.2.3.4"))).toContain("bad format for add-host")
  })

  it("a device is found from the root", () => {
    expect(causeOf(parseDevice("null:/dev/null"))).toBe("null is not an absolute path")
  })

  it("a sysctl may be written with slashes, and the container's domain name set", () => {
    expect(success(parseSysctl("net/ipv4/ip_forward=1"))).toEqual({ key: "net/ipv4/ip_forward", value: "1" })
    expect(success(parseSysctl("kernel.domainname=a"))).toEqual({ key: "kernel.domainname", value: "a" })
    expect(causeOf(parseSysctl("kernel/core_pattern=|/x"))).toContain("is not allowed")
    expect(causeOf(parseSysctl("net. x=1"))).toContain("is not allowed")
  })
})

describe("ports of a filter", () => {
  it("are one or a range, of TCP unless another protocol is named", () => {
    expect(success(parsePortRange("80"))).toEqual({ first: 80, last: 80, protocol: "tcp" })
    expect(success(parsePortRange("8000-8010/UDP"))).toEqual({ first: 8000, last: 8010, protocol: "udp" })
    expect(success(parsePortRange("65535/"))).toEqual({ first: 65_535, last: 65_535, protocol: "tcp" })
  })

  it.each([
    ["", "no port is named"], ["/tcp", "no port is named"], ["80:80", "ports of a filter should not contain ':'"],
    ["http", `"http" is no port or range of ports`], ["-5", `"-5" is no port or range of ports`],
    ["65536", `"65536" is above the highest port`], ["80-65536", `"80-65536" is above the highest port`],
    ["90-80", `the range "90-80" ends before it begins`],
    ["80/icmp", `invalid protocol "icmp": must be tcp, udp, sctp`], ["80/tcp/udp", `invalid protocol "tcp/udp": must be tcp, udp, sctp`]
  ])("%j are refused: %s", (text, cause) => expect(causeOf(parsePortRange(text))).toBe(cause))
})
