import { assert, describe, it } from "@effect/vitest"
import type { InitOp } from "../../../src/domain/kernel/InitOp.ts"
import { failure, mountOf, output } from "./InitProgram.ts"

describe("rights", () => {
  const chownAndKill = [0, 5]
  const drop: ReadonlyArray<InitOp> = [
    { _tag: "BoundingSet", capabilities: chownAndKill },
    { _tag: "User", uid: 0, gid: 0, groups: [] },
    {
      _tag: "Capabilities",
      effective: chownAndKill,
      permitted: chownAndKill,
      inheritable: [],
      ambient: []
    }
  ]

  it("are what is left of them after the program begins", () => {
    const seen = output("grep Cap /proc/self/status", drop)
    assert.strictEqual(
      seen,
      [
        "CapInh:\t0000000000000000", "CapPrm:\t0000000000000021", "CapEff:\t0000000000000021",
        "CapBnd:\t0000000000000021", "CapAmb:\t0000000000000000", ""
      ].join("\n")
    )
  })

  it("go with the user, but for the ambient ones", () => {
    const user: ReadonlyArray<InitOp> = [
      { _tag: "User", uid: 33, gid: 33, groups: [5, 6] },
      { _tag: "Capabilities", effective: [0], permitted: [0], inheritable: [0], ambient: [0] }
    ]
    const seen = output(
      "id; grep CapEff /proc/self/status; cat /etc/shadow; touch /x; touch /tmp/x",
      user
    )
    assert.include(seen, "uid=33(www-data) gid=33(www-data) groups=33(www-data),5(tty),6\n")
    assert.include(seen, "CapEff:\t0000000000000001\n")
    assert.include(seen, "cat: can't open '/etc/shadow': Permission denied\n")
    assert.include(seen, "touch: /x: Permission denied\n")
    assert.notInclude(seen, "/tmp/x")
  })

  it("can't be had again", () => {
    const more: InitOp = {
      _tag: "Capabilities",
      effective: [21],
      permitted: [21],
      inheritable: [],
      ambient: []
    }
    assert.strictEqual(failure(more, {}, drop), "EPERM capset")
    assert.strictEqual(failure({ _tag: "Hostname", name: "x" }, {}, drop), "EPERM sethostname x")
    assert.strictEqual(failure(mountOf({}), {}, drop), "EPERM openat2 /mnt")
    assert.strictEqual(
      failure({ _tag: "Seccomp", filter: new Uint8Array(8), flags: [] }, {}, drop),
      "EACCES seccomp"
    )
    assert.strictEqual(
      failure({ _tag: "Seccomp", filter: new Uint8Array(8), flags: [] }, {}, [{
        _tag: "NoNewPrivileges"
      }, ...drop]),
      "success"
    )
    assert.strictEqual(
      failure({ _tag: "User", uid: 5, gid: 5, groups: [] }, {}, drop),
      "EPERM setgroups"
    )
  })

  it("are limited by seccomp filters of the right size", () => {
    assert.strictEqual(
      failure({ _tag: "Seccomp", filter: new Uint8Array(7), flags: [] }),
      "EINVAL seccomp"
    )
    assert.strictEqual(
      failure({ _tag: "Seccomp", filter: new Uint8Array(8 * 4097), flags: [] }),
      "EINVAL seccomp"
    )
    assert.include(
      output("grep Seccomp /proc/self/status", [{
        _tag: "Seccomp",
        filter: new Uint8Array(8),
        flags: []
      }]),
      "Seccomp:\t2"
    )
  })
})

describe("the process", () => {
  it("has the limits, the mask, the score and the directory it was given", () => {
    const seen = output(
      "grep 'open files' /proc/self/limits; cat /proc/self/oom_score_adj; umask; pwd",
      [
        { _tag: "Rlimit", resource: "nofile", soft: 100, hard: 200 },
        { _tag: "OomScoreAdjust", value: 300 },
        { _tag: "Umask", mask: 0o77 },
        { _tag: "WorkingDirectory", path: "/made/here", create: true }
      ]
    )
    assert.match(seen, /^Max open files +100 +200 +files +\n300\n0077\n\/made\/here\n$/)
  })

  it("is refused what is none of these", () => {
    assert.strictEqual(
      failure({ _tag: "Rlimit", resource: "nofile", soft: 300, hard: 200 }),
      "EINVAL prlimit64 nofile"
    )
    assert.strictEqual(
      failure({ _tag: "OomScoreAdjust", value: 2000 }),
      "EINVAL write /proc/self/oom_score_adj"
    )
    assert.strictEqual(
      failure({ _tag: "WorkingDirectory", path: "/nosuch", create: false }),
      "ENOENT chdir /nosuch"
    )
    assert.strictEqual(
      failure({ _tag: "WorkingDirectory", path: "/etc/passwd", create: true }),
      "ENOTDIR chdir /etc/passwd"
    )
  })

  it("begins with umask 022 when nothing else is said", () => {
    assert.strictEqual(output("umask; touch /tmp/f; stat -c %a /tmp/f"), "0022\n644\n")
  })
})
