/** The command line on this kernel, end to end: docker's commands with docker's meaning. */
import { execFileSync, spawnSync } from "node:child_process"
import { existsSync, mkdirSync, readFileSync, readlinkSync, rmSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { gzipSync, zstdCompressSync } from "node:zlib"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { upperDirectory } from "../../src/domain/container/Paths.ts"
import { environment, eventually, pause, RealCli, Typist } from "./RealCli.ts"
import { patience, RealEngine, titled, unavailable } from "./RealEngine.ts"

describe.skipIf(unavailable !== undefined)(titled("the command line on this kernel"), () => {
  const cli = new RealCli()
  beforeAll(() => cli.build("test-linux"))
  afterEach(() => cli.removeAll())
  afterAll(() => cli.dispose())
  const tarball = () => execFileSync("tar", ["cf", "-", "-C", cli.rootfs, "."], { maxBuffer: 1 << 28 })

  describe("run", () => {
    it("gives both streams and the exit status, and leaves nothing", () => {
      expect(cli.sh([], "echo out; echo err >&2; exit 7")).toEqual({ code: 7, stdout: "out\n", stderr: "err\n" })
      expect(cli.states).toEqual([])
    })

    it("of fx/hello works from the start", () => {
      expect(cli.fx("run", "--rm", "fx/hello")).toMatchObject({ code: 0, stdout: expect.stringMatching(/pid 1, parent 0/) })
    })

    it.each([
      [125, ["--nosuch"], "true"], [125, ["--cap-add", "bogus"], "true"], [127, [], "nosuch"], [127, [], "/nosuch"],
      [126, [], "/etc/passwd"], [126, [], "/etc"], [143, ["--init"], "sh -c kill${IFS}-TERM${IFS}$$"]
    ])("ends with %i for %j %s", (code, flags, command) => {
      expect(cli.run(flags, ...command.split(" ")).code).toBe(code)
    })

    it("--rootfs / is a throw-away sandbox of this machine", () => {
      const path = `/fx-sandbox-${process.pid}`
      expect(cli.fx("run", "--rm", "--rootfs", "/", "--", "sh", "-c", `echo made > ${path}; cat ${path}`).stdout).toBe("made\n")
      expect(existsSync(path)).toBe(false)
    })

    it("takes environment from flags, files and the user, a user, groups, a directory and an entrypoint", () => {
      const file = cli.file("variables", "# a comment\nA=1\nHOST_ONLY\nNODE_OPTIONS=--nosuch\n")
      const flags = ["--env-file", file, "-eB=2", "-u", "alice", "--group-add", "wheel", "-w", "/made/here", "--entrypoint", "sh"]
      expect(cli.run(flags, "-c", "echo $A $B $HOST_ONLY; id -u; id -G; pwd"))
        .toEqual({ code: 0, stdout: "1 2 host\n1000\n1000 10 50\n/made/here\n", stderr: "" })
      expect(cli.run(["--env-file", "/nosuch"], "true")).toMatchObject({ code: 125, stderr: expect.stringContaining("open /nosuch") })
    })

    it("binds directories and files, makes the sources of -v that are missing, and refuses those of --mount", () => {
      const file = cli.file("one", "one\n")
      const made = join(cli.directory, "made/for/us")
      const flags = ["-v", `${file}:/etc/motd:ro`, "-v", `${made}:/data`, "--tmpfs", "/run:size=64k"]
      expect(cli.sh(flags, "cat /etc/motd; echo > /etc/motd; echo two > /data/two; df -k /run | tail -1 | awk '{print $2}'"))
        .toMatchObject({ stdout: "one\n64\n", stderr: expect.stringMatching(/Read-only file system/) })
      expect(readFileSync(join(made, "two"), "utf8")).toBe("two\n")
      expect(cli.run(["--mount", "type=bind,src=/nosuch,dst=/x"], "true"))
        .toMatchObject({ code: 125, stderr: expect.stringMatching(/\/nosuch: no such file or directory/) })
    })

    it("--read-only goes for the root and the files of /etc, not for what is mounted", () => {
      const script = "for f in /x /etc/hosts /etc/resolv.conf /run/x /dev/shm/x; do (echo > $f) 2>/dev/null && echo $f; done; true"
      expect(cli.sh(["--read-only", "--tmpfs", "/run"], script).stdout).toBe("/run/x\n/dev/shm/x\n")
    })

    it("closes stdin for itself: what comes after its end is still seen", () => {
      const ran = cli.fed("a\nb\n", "run", "--rm", "-i", "--rootfs", cli.rootfs, "--", "sh", "-c", "wc -l; sleep 0.3; echo after; exit 5")
      expect(ran).toMatchObject({ code: 5, stdout: "2\nafter\n" })
    })

    it("passes signals on, also those that came before the program ran", async () => {
      const trap = ["--rootfs", cli.rootfs, "--", "sh", "-c", "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done"]
      const first = cli.spawn("run", "--rm", ...trap)
      await eventually("the container is ready", () => first.output() === "ready\n")
      first.child.kill("SIGTERM")
      expect(await first.code).toBe(9)
      const second = cli.spawn("run", "--name", "early", ...trap)
      await eventually("there is a container", () => cli.states.length > 0)
      second.child.kill("SIGTERM")
      expect([9, 143]).toContain(await second.code)
      expect(cli.states).not.toContain("early running")
    })

    it("joins the namespaces of another container, and the host's", () => {
      cli.start("other", ["-h", "named", "--add-host", "friend:10.9.8.7"], "sleep", "1000")
      const links = (pid: string) => ["pid", "ipc", "net"].map((kind) => readlinkSync(`/proc/${pid}/ns/${kind}`))
      const show = "for n in pid ipc net; do readlink /proc/self/ns/$n; done; hostname; grep -c friend /etc/hosts"
      const joined = ["--pid", "container:other", "--ipc", "container:other", "--network", "container:other"]
      expect(cli.sh(joined, show).stdout.split("\n"))
        .toEqual([...links(cli.inspect("other", "{{.State.Pid}}")), "named", "1", ""])
      const host = ["--pid", "host", "--ipc", "host", "--network", "host", "--uts", "host"]
      expect(cli.sh(host, show).stdout.split("\n").slice(0, 3)).toEqual(links("self"))
    })

    it("gives user and time namespaces when asked, and refuses what cannot go with them", () => {
      const kinds = ["user", "time"]
      const seen = cli.sh(["--userns", "private", "--time", "private"], "readlink /proc/self/ns/user; readlink /proc/self/ns/time; cat /proc/self/uid_map")
      const [user, time, map] = seen.stdout.split("\n")
      expect([user, time]).not.toEqual(kinds.map((kind) => readlinkSync(`/proc/self/ns/${kind}`)))
      expect(map?.trim().split(/\s+/)).toEqual(["0", "100000", "65536"])
      expect(cli.run(["--userns", "private", "--network", "host"], "true"))
        .toMatchObject({ code: 125, stderr: expect.stringMatching(/cannot share the network namespace of host/) })
    })

    it("says what is wrong, with what, and what to do about it", () => {
      const first = (...flags: ReadonlyArray<string>) => cli.run(flags, "true").stderr.split("\n")[0]
      cli.fx("create", "--name", "taken", "--rootfs", cli.rootfs, "--", "true")
      expect(first("--name", "taken")).toMatch(/name "\/taken" is already in use: remove or rename that container/)
      expect(first("--name", "web", "-m", "1k")).toMatch(/cannot create container web: .* at least 6 MiB/)
      expect(first("--network", "container:nosuch")).toMatch(/No such container: nosuch/)
      expect(first("--device", "/dev/nosuch")).toMatch(/\/dev\/nosuch: no such file or directory: name a device node/)
      expect(first("--add-host", "a:host-gateway")).toMatch(/host-gateway.*write an address/)
      expect(first("--detach-keys", "strange", "-i")).toMatch(/strange/)
      expect(cli.fx("run", "--rm", "--pull", "never", "nosuch").stderr).toMatch(/No such image: nosuch: pull, load or import it/)
      expect(cli.fx("run", "--rm", "--pull", "never", "--platform", "linux/s390x", "fx/hello").stderr)
        .toMatch(/its platform \(linux\/\S+\) does not match the specified platform \(linux\/s390x\)/)
      expect(cli.states).toEqual(["taken created"])
    })

    it("tells a limit that the kernel refuses by its option, and the container's name", async () => {
      // Version 1 of control groups alone has it, and no parent has any of it to give unless somebody saw to it
      if (!existsSync("/sys/fs/cgroup/cpu/cpu.rt_runtime_us")) return
      expect(cli.run(["--name", "real", "--cpu-rt-runtime", "9000"], "true")).toMatchObject({
        code: 125, stderr: expect.stringMatching(/cannot start real: the kernel refuses --cpu-rt-runtime 9000 .*parent control group/)
      })
      cli.start("web", [], "sh", "-c", "dd if=/dev/zero of=/dev/shm/x bs=1M count=30 2>/dev/null; echo full; sleep 1000")
      await eventually("it is full", () => cli.fx("logs", "web").stdout === "full\n")
      const shrunk = cli.fx("update", "--memory", "6m", "--memory-swap", "6m", "web")
      expect(shrunk).toMatchObject({
        code: 1, stderr: expect.stringMatching(/cannot update web: the kernel refuses --memory 6291456 .*have it use less first/)
      })
      expect(cli.fx("inspect", "-f", "{{.HostConfig.Memory}}", "web").stdout).toBe("0\n")
    })
  })

  describe("at a terminal", () => {
    const interactive = () => `--rootfs ${cli.rootfs} -- sh`
    /** Tells its name, runs `command`, then its exit status and whether the terminal takes lines again. */
    const typist = (command: string) =>
      new Typist(`tty; stty rows 30 cols 100; sh -c 'echo client=$$; exec ${command}'; echo code=$?; stty -a | grep -o '.icanon'`)
    const clientOf = ({ screen }: Typist) => Number(/client=([0-9]+)/.exec(screen)?.[1])

    it("has the terminal's size, follows it, and leaves it as it was", async () => {
      const user = typist(`${cli.command} run --rm -it ${interactive()}`)
      await user.sees(/# /)
      user.type("stty size; tty; echo $TERM\n")
      await user.sees(/\n30 100\n\/dev\/pts\/0\nxterm\n/)
      execFileSync("stty", ["-F", /\/dev\/pts\/[0-9]+/.exec(user.screen)![0], "rows", "41", "cols", "91"])
      await pause(200 * patience)
      user.type("stty size\n")
      await user.sees(/\n41 91\n/)
      user.type("exit 5\n")
      await user.sees(/code=5\n icanon/)
    })

    it("is left by the detach keys, entered again by attach, and raw for no longer than that", async () => {
      const user = typist(`${cli.command} run -it --name left ${interactive()}`)
      await user.sees(/# /)
      user.type("\x10\x11")
      await user.sees(/code=0\n icanon/)
      expect(user.screen).not.toMatch(/escape/)
      expect(cli.states).toEqual(["left running"])
      const other = typist(`${cli.command} exec -it left sh`)
      await other.sees(/# /)
      other.type("\x10\x11")
      await other.sees(/read escape sequence\ncode=1\n icanon/)
      const again = typist(`${cli.command} attach --detach-keys ctrl-x,y left`)
      await again.sees(/# /)
      again.type("echo again$((1+1))\n")
      await again.sees(/again2/)
      process.kill(clientOf(again), "SIGTERM")
      await again.sees(/code=143\n icanon/)
      expect(cli.states).toEqual(["left running"])
      const last = typist(`${cli.command} attach left`)
      await last.sees(/# /)
      last.type("\x10\x11")
      await last.sees(/read escape sequence\ncode=1\n icanon/)
      const killed = typist(`${cli.command} attach left`)
      await killed.sees(/# /)
      cli.fx("kill", "left")
      await killed.sees(/code=137\n icanon/)
    })

    it("that is hung up leaves containers running, attached or not", async () => {
      const user = typist(`${cli.command} run -it --name hung ${interactive()}`)
      await user.sees(/# /)
      const detached = typist(`${cli.command} run -d --name away --rootfs ${cli.rootfs} -- sleep 1000`)
      await detached.sees(/code=0/)
      for (const one of [user, detached]) {
        one.hangUp()
        await one.ended
      }
      await pause(300)
      expect(cli.states).toEqual(["away running", "hung running"])
    })

    it("exec has one of its own, and start -ai and Ctrl-C do what they do at a shell", async () => {
      cli.start("host", [], "sleep", "1000")
      const user = typist(`${cli.command} exec -it host sh`)
      await user.sees(/# /)
      user.type("stty size; exit 7\n")
      await user.sees(/30 100\n.*code=7\n icanon/s)
      cli.fx("create", "-it", "--init", "--name", "made", "--rootfs", cli.rootfs, "--", "sleep", "1000")
      const started = typist(`${cli.command} start -ai made`)
      await eventually("it runs", () => cli.states.includes("made running"))
      started.type("\x03")
      await started.sees(/code=130\n icanon/)
    })

    it("is asked for where there is none", () => {
      const none = { code: 1, stderr: expect.stringMatching(/the input device is not a TTY/) }
      expect(cli.run(["-it"], "sh")).toMatchObject(none)
      expect(cli.run(["-t"], "tty").stdout).toBe("/dev/pts/0\r\n")
    })
  })

  it("--sig-proxy=false keeps signals to the client: it ends, the container goes on", async () => {
    const { child, code } = cli.spawn("run", "--sig-proxy=false", "--name", "on", "--rootfs", cli.rootfs, "--", "sleep", "1000")
    await eventually("it runs", () => cli.states.includes("on running"))
    child.kill("SIGINT")
    expect(await code).toBe(130)
    expect(cli.states).toEqual(["on running"])
  })

  describe("a detached container", () => {
    it("has its processes listed as ps would", () => {
      cli.start("web", ["--user", "1:2"], "sh", "-c", "sleep 1000; true")
      expect(cli.fx("top", "web", "axu").stdout).toMatch(/^USER +PID +%CPU.*COMMAND\n.* sh -c sleep 1000; true\n.* sleep 1000\n$/)
      expect(cli.fx("top", "web", "-o", "cmd")).toMatchObject({
        code: 1, stderr: expect.stringMatching(/cannot list the processes of web: Couldn't find PID field in ps output: have pid/)
      })
      const columns = ["-o", "pid,ppid,pgid,sid,uid,user,group,stat,nlwp,vsz,ni,pri,tname,lstart,start_time,comm,args"]
      const cells = (text: string) => text.trimEnd().split("\n").map((line) => line.trim().split(/ +/))
      const ours = cells(cli.fx("top", "web", ...columns).stdout)
      const ps = spawnSync("ps", [...columns, "-q", ours.slice(1).map(([pid]) => pid).join(",")], { encoding: "utf8" })
      // A host may have no ps, or not that of Linux's usual distributions
      if (ps.status === 0) expect(ours).toEqual(cells(ps.stdout))
    })

    it("outlives its command, can be looked at, stopped, started and removed", () => {
      const id = cli.start("web", ["--stop-signal", "USR1"], "sh", "-c", "trap 'echo bye; exit 3' USR1; echo up; while :; do sleep 0.05; done")
      expect(id).toMatch(/^[0-9a-f]{64}$/)
      expect(cli.states).toEqual(["web running"])
      expect(cli.fx("top", "web").stdout).toMatch(/UID +PID +PPID.*CMD\n.*sh -c trap/)
      expect(cli.fx("rm", "web")).toMatchObject({ code: 1, stderr: expect.stringMatching(/container is running: stop the container/) })
      expect(cli.fx("stop", "web").stdout).toBe("web\n")
      expect(cli.fx("wait", "web").stdout).toBe("3\n")
      expect(cli.fx("logs", "web").stdout).toBe("up\nbye\n")
      expect(cli.fx("start", "web").code).toBe(0)
      expect(cli.fx("restart", "-t", "0", "web").code).toBe(0)
      expect(cli.fx("rename", "web", "shop").code).toBe(0)
      expect(cli.fx("kill", "shop").code).toBe(0)
      expect(cli.fx("wait", "shop").stdout).toBe("137\n")
      expect(cli.fx("rm", "shop", "nosuch")).toEqual({ code: 1, stdout: "shop\n", stderr: "fx-engine: No such container: nosuch\n" })
      expect(cli.fx("rm", "-f", "nosuch")).toEqual({ code: 0, stdout: "", stderr: "fx-engine: No such container: nosuch\n" })
    })

    it("of --rm is removed when it ends though nobody waits for it", async () => {
      cli.start("brief", ["--rm"], "sleep", "0.3")
      await eventually("it has gone", () => cli.states.length === 0)
    })

    it("is paused and goes on", () => {
      cli.start("still", [], "sleep", "1000")
      expect(cli.fx("pause", "still").code).toBe(0)
      expect(cli.fx("ps", "--format", "{{.Status}}").stdout).toMatch(/\(Paused\)/)
      expect(cli.fx("exec", "still", "true")).toMatchObject({ code: 1, stderr: expect.stringMatching(/paused, unpause/) })
      expect(cli.fx("unpause", "still").code).toBe(0)
      expect(cli.fx("exec", "still", "true").code).toBe(0)
    })

    it("gets other limits while it runs, and statistics", () => {
      cli.start("small", ["-m", "64m", "--pids-limit", "20"], "sleep", "1000")
      expect(cli.fx("update", "-m", "100m", "--memory-swap", "200m", "--pids-limit", "30", "small").code).toBe(0)
      const limits = "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/memory/memory.limit_in_bytes 2>/dev/null || cd /sys/fs/cgroup && cat pids.max memory.max"
      expect(cli.fx("exec", "small", "sh", "-c", limits).stdout).toBe(`30\n${100 << 20}\n`)
      expect(cli.fx("update", "--cpus", "4096", "small").stderr).toMatch(/cannot update small: the number of CPUs/)
      expect(JSON.parse(cli.fx("stats", "--no-stream", "--format", "json", "small").stdout))
        .toMatchObject({ Name: "small", PIDs: "1", MemUsage: expect.stringMatching(/ \/ 100MiB$/) })
    })

    it("can be started again after a start that failed", () => {
      cli.fx("create", "--name", "late", "--rootfs", cli.rootfs, "--", "/late")
      expect(cli.fx("start", "late")).toMatchObject({ code: 1, stderr: expect.stringMatching(/exec: "\/late": no such file/) })
      cli.fx("cp", join(cli.rootfs, "bin/busybox"), "late:/bin/true2")
      cli.fx("cp", cli.file("late", "#!/bin/sh\necho late\n"), "late:/late")
      expect(cli.fx("start", "-a", "late").stderr).toMatch(/permission denied/)
      expect(cli.inspect("late", "{{.State.Status}}")).toBe("created")
    })
  })

  it("exec runs programs with users, directories, input and docker's exit statuses", () => {
    cli.start("host", ["-eA=1"], "sleep", "1000")
    expect(cli.fx("exec", "-u", "alice", "-w", "/tmp", "-eB=2", "host", "sh", "-c", "echo $A $B; id -un; pwd; exit 9"))
      .toEqual({ code: 9, stdout: "1 2\nalice\n/tmp\n", stderr: "" })
    expect(cli.fed("typed", "exec", "-i", "host", "cat").stdout).toBe("typed")
    expect(cli.fx("exec", "host", "nosuch").code).toBe(127)
    expect(cli.fx("exec", "host", "/etc/passwd").code).toBe(126)
    expect(cli.fx("exec", "-w", "/nosuch", "host", "true").code).toBe(126)
    expect(cli.fx("exec", "nosuch", "true").code).toBe(1)
  })

  it("logs shows ends, times, spans, and follows across rotated files to the end", async () => {
    cli.start("talk", [], "sh", "-c", "for i in 1 2 3; do echo out$i; sleep 0.02; done; echo err >&2")
    cli.fx("wait", "talk")
    expect(cli.fx("logs", "talk")).toMatchObject({ stdout: "out1\nout2\nout3\n", stderr: "err\n" })
    expect(cli.fx("logs", "--tail", "2", "talk")).toMatchObject({ stdout: "out3\n", stderr: "err\n" })
    const timed = cli.fx("logs", "-t", "talk").stdout.split("\n").map((line) => line.split(" "))
    expect(timed.map((words) => words[1])).toEqual(["out1", "out2", "out3", undefined])
    expect(cli.fx("logs", "--since", timed[1]![0]!, "talk").stdout).toBe("out2\nout3\n")
    const count = "i=0; while [ $i -lt 400 ]; do echo line $i; i=$((i+1)); [ $((i % 100)) = 0 ] && sleep 0.3; done; printf end"
    cli.start("much", ["--log-opt", "max-size=20k", "--log-opt", "max-file=3"], "sh", "-c", count)
    const followed = cli.spawn("logs", "-f", "much")
    expect(await followed.code).toBe(0)
    expect(followed.output().split("\n")).toEqual([...Array.from({ length: 400 }, (_, index) => `line ${index}`), "end"])
    expect(cli.inspect("much", "{{.LogPath}}")).toSatisfy((path: string) => existsSync(`${path}.1`))
  })

  it("cp copies into and out of containers that run or not, and as archives", () => {
    mkdirSync(join(cli.directory, "tree/below"), { recursive: true })
    cli.file("tree/below/leaf", "leaf\n")
    const tree = join(cli.directory, "tree")
    cli.start("running", [], "sleep", "1000")
    cli.fx("create", "--name", "waiting", "--rootfs", cli.rootfs, "--", "true")
    for (const name of ["running", "waiting"]) {
      expect(cli.fx("cp", tree, `${name}:/new`).code).toBe(0)
      expect(cli.fx("cp", tree, `${name}:/new`).code).toBe(0)
      const out = join(cli.directory, `out-${name}`)
      expect(cli.fx("cp", `${name}:/new/.`, out).code).toBe(0)
      expect(readFileSync(join(out, "tree/below/leaf"), "utf8")).toBe("leaf\n")
      const archive = spawnSync(cli.program, [...cli.roots, "cp", `${name}:/new/below`, "-"], { env: environment }).stdout
      expect(execFileSync("tar", ["tf", "-"], { input: archive, encoding: "utf8" })).toBe("below/\nbelow/leaf\n")
      expect(cli.fed(archive, "cp", "-", `${name}:/tmp`).code).toBe(0)
      expect(cli.fx("cp", `${name}:/tmp/below/leaf`, out).code).toBe(0)
      expect(cli.fx("cp", `${name}:/nosuch`, out)).toMatchObject({ code: 1, stderr: expect.stringMatching(/no such file/) })
    }
  })

  it("import makes images of archives in each form, and refuses others in plain words", () => {
    const plain = tarball()
    const forms = { plain, gzip: gzipSync(plain), zstd: zstdCompressSync(plain) }
    for (const [name, bytes] of Object.entries(forms)) {
      const file = cli.file(`${name}.tar`, bytes)
      expect(cli.fx("import", "-c", "CMD [\"echo\", \"from cmd\"]", file, name).stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/)
      expect(cli.fx("run", "--rm", name).stdout).toBe("from cmd\n")
    }
    expect(cli.fed(plain, "import", "-", "piped:v1").code).toBe(0)
    expect(cli.fx("images", "--format", "{{.Repository}}:{{.Tag}}").stdout.trim().split("\n").toSorted())
      .toEqual(["fx/hello:latest", "gzip:latest", "piped:v1", "plain:latest", "zstd:latest"])
    expect(cli.fed(plain.subarray(0, 100_000), "import", "-", "cut").stderr).toMatch(/^fx-engine: .*ends in the middle of an entry .*download it again/)
    expect(cli.fed(new Uint8Array([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 0, 0]), "import", "-", "xz").stderr).toMatch(/compressed with xz/)
    expect(cli.fx("rmi", "plain", "gzip", "zstd", "piped:v1").code).toBe(0)
    expect(cli.fx("images", "-q").stdout.split("\n")).toHaveLength(2)
  })

  it("commits of the engine's own image lie on the same base, and know of what they were made", () => {
    cli.fx("run", "--name", "hello", "fx/hello")
    for (const name of ["one", "two"]) expect(cli.fx("commit", "hello", name).code).toBe(0)
    const parents = ["one", "two"].map((name) => cli.fx("image", "inspect", "-f", "{{.Parent}}", name).stdout)
    const own = cli.fx("image", "inspect", "-f", "{{.Id}}", "fx/hello").stdout
    expect(parents).toEqual([own, own])
    // Two with names, the base, and the engine's own
    expect(cli.fx("images", "-a", "-q").stdout.trim().split("\n")).toHaveLength(4)
    cli.fx("rm", "hello")
    cli.fx("rmi", "one", "two")
    cli.fx("image", "prune", "-f")
    expect(cli.fx("images", "-a", "-q").stdout.trim().split("\n")).toHaveLength(1)
  })

  it("ps, inspect, info and version print tables, templates, JSON and bare ids", () => {
    const id = cli.start("shown", ["-l", "a=b", "-h", "named"], "sleep", "1000")
    expect(cli.fx("ps", "-q", "--no-trunc").stdout).toBe(`${id}\n`)
    expect(cli.fx("ps", "--format", "table {{.Names}}\t{{.Command}}").stdout).toBe("NAMES     COMMAND\nshown     \"sleep 1000\"\n")
    expect(JSON.parse(cli.fx("ps", "--format", "json").stdout)).toMatchObject({ ID: id.slice(0, 12), State: "running", Labels: "a=b" })
    expect(cli.fx("ps", "-aq", "--filter", "label=a=c").stdout).toBe("")
    expect(cli.inspect("shown", "{{.Config.Hostname}} {{index .Config.Labels \"a\"}} {{len .HostConfig.MaskedPaths}}")).toMatch(/^named b 1[0-9]$/)
    expect(cli.fx("ps", "--format", "{{.Nope}}")).toMatchObject({ code: 1, stderr: expect.stringMatching(/field Nope/) })
    expect(cli.fx("info", "-f", "{{.ContainersRunning}}").stdout).toBe("1\n")
  })

  describe("--plan", () => {
    const world = () => [
      execFileSync("find", [cli.engine.paths.root, cli.engine.paths.execRoot, "-not", "-name", "engine.db*", "-printf", "%p %m %T@\\n"], { encoding: "utf8" }),
      cli.fx("ps", "-a", "--no-trunc", "--format", "{{.ID}} {{.Names}} {{.State}}").stdout,
      readFileSync("/proc/self/mountinfo", "utf8")
    ]

    it("shows the operations of every command that changes something, and changes nothing", () => {
      cli.start("planned", [], "sleep", "1000")
      cli.fx("pause", "planned")
      cli.start("going", [], "sleep", "1000")
      const before = world()
      const file = cli.file("copied", "copied")
      for (const [tag, ...line] of [
        ["SupervisorStart", "run", "--rootfs", cli.rootfs, "--", "true"], ["RecordPut", "create", "--rootfs", cli.rootfs, "--", "true"],
        ["ProcessSignal", "stop", "going"], ["SupervisorStart", "restart", "going"], ["CgroupKill", "kill", "going"],
        ["CgroupFreeze", "unpause", "planned"], ["CgroupFreeze", "pause", "going"], ["RecordPut", "rename", "going", "gone"],
        ["CgroupWrite", "update", "-m", "100m", "going"], ["RecordDelete", "rm", "-f", "planned"],
        ["SupervisorStart", "exec", "going", "true"], ["ArchivePush", "cp", file, "going:/tmp"]
      ] as ReadonlyArray<readonly [string, ...Array<string>]>) {
        expect(cli.fx("--plan", ...line), line.join(" ")).toMatchObject({ code: 0, stderr: "", stdout: expect.stringContaining(` ${tag} `) })
      }
      expect(world()).toEqual(before)
    })

    it("prints JSON for programs", () => {
      const lines = cli.fx("run", "--plan", "--format", "json", "--rm", "--rootfs", cli.rootfs, "--", "true").stdout.trim().split("\n")
      const tags = lines.map((line) => (JSON.parse(line) as { readonly tag: string }).tag)
      expect(tags).toContain("SupervisorStart")
      expect(tags.slice(-2)).toEqual(["RecordDelete", "FileRemove"])
    })
  })

  /** The trace of a command whose replay differs nowhere. */
  const fed = (input: string | Uint8Array, ...line: ReadonlyArray<string>): string => {
    const trace = join(cli.directory, "same")
    expect([0, 3], line.join(" ")).toContain(cli.fed(input, "--trace", trace, ...line).code)
    expect(cli.fx("replay", trace).stdout, line.join(" ")).toMatch(/^[0-9]+ operations, 0 differences\n$/)
    return readFileSync(trace, "utf8")
  }
  const same = (...line: ReadonlyArray<string>): string => fed("", ...line)

  it("--trace records what was done, and replay does it again on the simulated kernel without a difference", () => {
    cli.start("before", ["-m", "64m"], "sleep", "1000")
    same("run", "--rm", "--rootfs", cli.rootfs, "--", "sh", "-c", "echo out; exit 3")
    same("exec", "-u", "alice", "before", "id", "-u")
    same("update", "-m", "80m", "before")
    same("rm", "-f", "before")
  })

  it("replay knows the control groups of this machine: the first start of an engine makes them", async () => {
    const fresh = new RealEngine().make()
    const roots = ["--root", fresh.paths.root, "--exec-root", fresh.paths.execRoot]
    same(...roots, "run", "--rm", "-m", "64m", "--rootfs", fresh.rootfs, "--", "true")
    await fresh.dispose()
  })

  it("a trace of a copy has nothing of the files, and is replayed with files that are as long", () => {
    const tree = join(cli.directory, "tree")
    mkdirSync(join(tree, "below"), { recursive: true })
    const file = cli.file("tree/below/secret", "secret".repeat(1000))
    cli.start("before", [], "sleep", "1000")
    cli.fx("create", "--name", "created", "--rootfs", cli.rootfs, "--", "true")
    const trace = same("cp", file, "before:/tmp/renamed")
    for (const content of ["secretsecret", Buffer.from("secretsecret").toString("base64")]) expect(trace).not.toContain(content)
    same("cp", tree, "created:/tmp")
    same("cp", "created:/tmp/tree/below/secret", tree)
    same("cp", "-L", "before:/bin/sh", tree)
    same("cp", "before:/etc/passwd", "-")
    fed(tarball(), "cp", "-", "before:/tmp")
  })

  it("replay says where the simulated machine is another", () => {
    cli.start("there", [], "sleep", "1000")
    const trace = join(cli.directory, "trace")
    expect(cli.fx("--trace", trace, "run", "--rm", "fx/hello").code).toBe(0)
    const entries = readFileSync(trace, "utf8").trim().split("\n").map((line) => JSON.parse(line) as { readonly durationNs: number })
    expect(entries.every(({ durationNs }) => durationNs >= 0)).toBe(true)
    const { stdout } = cli.fx("replay", trace)
    expect(stdout).toMatch(new RegExp(`^${entries.length} operations, [0-9]+ differences?$`, "m"))
    expect(stdout.match(/^[0-9]+ (LockAcquire|LockTry|FileRemove|TreeRemove|Cgroup|Record|Dir)/m)).toBeNull()
  })

  it("--simulated needs no root", () => {
    const nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups", cli.program, "--simulated", "--root", join(cli.directory, "sim")]
    mkdirSync(join(cli.directory, "sim"))
    execFileSync("chown", ["65534", join(cli.directory, "sim")])
    execFileSync("chmod", ["755", cli.directory])
    const env = { PATH: `${process.execPath.replace(/\/node$/, "")}:${process.env["PATH"]}` }
    const fx = (...argv: ReadonlyArray<string>) => spawnSync("setpriv", [...nobody, ...argv], { encoding: "utf8", env })
    expect(fx("run", "--rm", "busybox", "sh", "-c", "echo hi; exit 3")).toMatchObject({ status: 3, stdout: "hi\n" })
    expect(fx("run", "-d", "--name", "web", "busybox", "sleep", "1000").status).toBe(0)
    expect(fx("exec", "web", "echo", "inside").stdout).toBe("inside\n")
    const real = nobody.filter((word) => word !== "--simulated")
    expect(spawnSync("setpriv", [...real, "--exec-root", join(cli.directory, "sim/run"), "run", "--rm", "fx/hello"], { encoding: "utf8", env }))
      .toMatchObject({ status: 125, stderr: expect.stringMatching(/containers need root, use sudo or --simulated/) })
  })

  describe("system check", () => {
    const parentOf = (pid: string): number => Number(/^PPid:\s*([0-9]+)$/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])

    /** The freezer's, or the one of v2. */
    const cgroupOf = (pid: string): string => {
      const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8")
      const freezer = /^[0-9]+:freezer:(.+)$/m.exec(lines)?.[1]
      return freezer === undefined ? `/sys/fs/cgroup${/^0::(.+)$/m.exec(lines)?.[1]}` : `/sys/fs/cgroup/freezer${freezer}`
    }

    it("finds and mends a container whose supervisor was killed", () => {
      cli.start("lost", [], "sleep", "1000")
      process.kill(parentOf(cli.inspect("lost", "{{.State.Pid}}")), "SIGKILL")
      expect(cli.fx("system", "check")).toMatchObject({ code: 1, stdout: expect.stringMatching(/open +it runs without its supervisor/) })
      expect(cli.fx("system", "check", "--repair")).toMatchObject({ code: 0, stdout: expect.stringMatching(/mended/) })
      expect(cli.fx("system", "check").stdout).toBe("records and kernel agree\n")
      expect(cli.states).toEqual(["lost exited"])
      expect(cli.fx("start", "lost").code).toBe(0)
    })

    it("finds and removes what belongs to no container", () => {
      const id = cli.start("mine", [], "sleep", "1000")
      const stray = (path: string) => path.replaceAll(id, "ab".repeat(32))
      const directories = [
        stray(dirname(upperDirectory(cli.engine.paths, id))), join(cli.engine.paths.execRoot, "containers", "ab".repeat(32)),
        stray(cgroupOf(cli.inspect("mine", "{{.State.Pid}}")))
      ]
      for (const directory of directories) mkdirSync(directory)
      const { code, stdout } = cli.fx("system", "check")
      expect(code).toBe(1)
      for (const directory of directories) expect(stdout).toMatch(new RegExp(`^${directory} +open +it belongs to no container$`, "m"))
      expect(cli.fx("system", "check", "--repair").code).toBe(0)
      expect(directories.filter((directory) => existsSync(directory))).toEqual([])
      expect(cli.fx("system", "check").stdout).toBe("records and kernel agree\n")
      expect(cli.states).toEqual(["mine running"])
    })

    it("finds a writable layer that somebody removed, and makes an empty one", () => {
      const id = cli.start("hollow", [], "true")
      cli.fx("wait", "hollow")
      rmSync(upperDirectory(cli.engine.paths, id), { recursive: true })
      expect(cli.fx("system", "check")).toMatchObject({ code: 1, stdout: expect.stringMatching(/its writable layer .* has gone/) })
      expect(cli.fx("start", "hollow").code).toBe(1)
      expect(cli.fx("system", "check", "--repair").code).toBe(0)
      expect(cli.fx("start", "-a", "hollow").code).toBe(0)
      expect(statSync(upperDirectory(cli.engine.paths, id)).isDirectory()).toBe(true)
    })

    it("has nothing to say after programs were killed at any time of a start", async () => {
      for (let wait = 60; wait < 400; wait += 40) {
        const { child, code } = cli.spawn("run", "-d", "--rootfs", cli.rootfs, "--", "sleep", "1000")
        await pause(wait * patience)
        child.kill("SIGKILL")
        await code
      }
      cli.fx("ps")
      expect(cli.fx("system", "check").stdout).toBe("records and kernel agree\n")
      expect(cli.states.every((state) => / (created|running)$/.test(state))).toBe(true)
    })
  })
})
