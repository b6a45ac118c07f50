/** `--change` of import and commit: Dockerfile instructions, their forms, variables and errors. */
import * as Result from "effect/Result"
import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { applyChanges } from "../../../src/domain/image/applyChanges.ts"
import { expandWord, splitWords } from "../../../src/domain/image/expandWord.ts"
import { exposedPorts } from "../../../src/domain/image/exposedPorts.ts"
import { type ImageDefaults, noImageDefaults } from "../../../src/domain/image/Defaults.ts"
import { causeOf, success } from "../text/results.ts"

const base: ImageDefaults = { ...noImageDefaults, command: ["old"], env: ["HOME=/root", "EMPTY="], workingDirectory: "/srv" }
const after = (...changes: ReadonlyArray<string>) => success(applyChanges(base, changes))
const fault = (...changes: ReadonlyArray<string>) => causeOf(applyChanges(base, changes))

describe("a change", () => {
  it("sets command and entrypoint, for the shell or in JSON", () => {
    expect(after("CMD echo $HOME").command).toEqual(["/bin/sh", "-c", "echo $HOME"])
    expect(after("cmd [\"a\", \"b c\"]").command).toEqual(["a", "b c"])
    expect(after("CMD [\"a\", 1]").command).toEqual(["/bin/sh", "-c", "[\"a\", 1]"])
    expect(after("CMD []").command).toEqual([])
    expect(after("ENTRYPOINT [\"x\"]").entrypoint).toEqual(["x"])
    expect(success(applyChanges({ ...base, shell: ["bash", "-ec"] }, ["CMD ls"])).command).toEqual(["bash", "-ec", "ls"])
  })

  it("of the entrypoint drops the image's command, but not one that was changed before", () => {
    expect(after("ENTRYPOINT x").command).toEqual([])
    expect(after("CMD new", "ENTRYPOINT x").command).toEqual(["/bin/sh", "-c", "new"])
    expect(after("ENTRYPOINT x", "CMD [\"new\"]").command).toEqual(["new"])
  })

  it("sets variables, several at a time, with the values that they had before", () => {
    expect(after("ENV A=1 B=\"two words\" C='$HOME' D=$HOME/x E=a\\ b").env)
      .toEqual(["HOME=/root", "EMPTY=", "A=1", "B=two words", "C=$HOME", "D=/root/x", "E=a b"])
    expect(after("ENV HOME=/h OLD=$HOME").env).toEqual(["HOME=/h", "EMPTY=", "OLD=/root"])
    expect(after("ENV HOME=/h", "ENV NEW=$HOME").env).toEqual(["HOME=/h", "EMPTY=", "NEW=/h"])
    expect(after("ENV OLD all of  the rest").env.at(-1)).toBe("OLD=all of  the rest")
    expect(after("ENV A=b=c").env.at(-1)).toBe("A=b=c")
  })

  it("sets labels, user, directory and stop signal", () => {
    expect(after("LABEL a=1 \"b c\"=2", "LABEL d e").labels).toEqual({ a: "1", "b c": "2", d: "e" })
    expect(after("USER ${EMPTY:-app}:app").user).toBe("app:app")
    expect(after("WORKDIR sub/./dir", "WORKDIR ../x").workingDirectory).toBe("/srv/sub/x")
    expect(after("WORKDIR /a//b").workingDirectory).toBe("/a/b")
    expect(after("STOPSIGNAL SIGRTMIN+3").stopSignal).toBe("SIGRTMIN+3")
  })

  it("adds ports, volumes and triggers", () => {
    expect(after("EXPOSE 80 53/udp 8000-8002", "EXPOSE 80").exposedPorts)
      .toEqual(["53/udp", "80/tcp", "8000/tcp", "8001/tcp", "8002/tcp"])
    expect(after("VOLUME /b /a", "VOLUME [\"/c d\", \"$HOME\"]").volumes).toEqual(["/a", "/b", "/c d", "/root"])
    expect(after("ONBUILD RUN make  $X", "ONBUILD COPY . .").onBuild).toEqual(["RUN make  $X", "COPY . ."])
  })

  it("sets or switches off the health check", () => {
    expect(after("HEALTHCHECK --interval=5s --retries=2 CMD curl -f http://localhost/").healthcheck)
      .toEqual({ test: ["CMD-SHELL", "curl -f http://localhost/"], interval: 5_000_000_000, retries: 2 })
    expect(after("HEALTHCHECK --timeout=1ms --start-period=1m --start-interval=2s cmd [\"a\", \"b\"]").healthcheck)
      .toEqual({ test: ["CMD", "a", "b"], timeout: 1_000_000, startPeriod: 60_000_000_000, startInterval: 2_000_000_000 })
    expect(after("HEALTHCHECK none").healthcheck).toEqual({ test: ["NONE"] })
  })

  it("may have several lines, comments, and lines that go on", () => {
    expect(after("# who\nUSER app\n\nENV A=1 \\\n  # between\n  B=2\r\nCMD [\"x\"]")).toEqual({
      ...base, user: "app", env: [...base.env, "A=1", "B=2"], command: ["x"]
    })
    expect(after()).toEqual(base)
  })

  it.each([
    ["RUN make", "RUN is not a valid change command"],
    ["SHELL [\"bash\"]", "SHELL is not a valid change command"],
    ["CMD", "CMD requires at least one argument"],
    ["ENTRYPOINT", "ENTRYPOINT requires at least one argument"],
    ["ENV", "ENV requires at least one argument"],
    ["ENV A", "ENV must have two arguments"],
    ["LABEL a=1 b", "Syntax error - can't find = in \"b\". Must be of the form: name=value"],
    ["ENV =x", "ENV names can not be blank"],
    ["ENV A='x", "unexpected end of statement while looking for matching single-quote"],
    ["ENV A=\"x", "unexpected end of statement while looking for matching double-quote"],
    ["ENV A=${HOME", "unsupported modifier in substitution of HOME"],
    ["ENV A=${HOME:-x", "unexpected end of statement while looking for matching }"],
    ["ENV A=\"${NONE:?must be set}\"", "NONE: must be set"],
    ["ENV A=${}", "syntax error: bad substitution"],
    ["USER", "USER requires exactly one argument"],
    ["USER $NONE", "USER requires exactly one argument"],
    ["WORKDIR", "WORKDIR requires exactly one argument"],
    ["STOPSIGNAL SIGNOTHING", "invalid signal: SIGNOTHING"],
    ["EXPOSE", "EXPOSE requires at least one argument"],
    ["EXPOSE 0", "invalid containerPort: 0"],
    ["EXPOSE 65536", "invalid containerPort: 65536"],
    ["EXPOSE 9-8", "invalid containerPort: 9-8"],
    ["EXPOSE 80/icmp", "invalid proto: icmp"],
    ["VOLUME", "VOLUME requires at least one argument"],
    ["VOLUME []", "VOLUME requires at least one argument"],
    ["VOLUME [\" \"]", "VOLUME specified can not be an empty string"],
    ["ONBUILD", "ONBUILD requires at least one argument"],
    ["ONBUILD ONBUILD RUN x", "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"],
    ["ONBUILD from x", "FROM isn't allowed as an ONBUILD trigger"],
    ["HEALTHCHECK", "HEALTHCHECK requires at least one argument"],
    ["HEALTHCHECK NONE x", "HEALTHCHECK NONE takes no arguments"],
    ["HEALTHCHECK --interval=1s NONE", "HEALTHCHECK NONE takes no arguments"],
    ["HEALTHCHECK CMD", "Missing command after HEALTHCHECK CMD"],
    ["HEALTHCHECK ping", "Unknown type \"ping\" in HEALTHCHECK (try CMD)"],
    ["HEALTHCHECK --interval=1us CMD x", "Interval \"interval\" cannot be less than 1ms"],
    ["HEALTHCHECK --interval=often CMD x", "time: invalid duration \"often\""],
    ["HEALTHCHECK --retries=0 CMD x", "--retries must be at least 1 (not 0)"],
    ["HEALTHCHECK --colour=red CMD x", "unknown flag: --colour"]
  ])("%s is refused", (change, cause) => {
    expect(fault(change)).toBe(cause)
  })

  it("that is refused names its instruction, and the others are not applied", () => {
    expect(applyChanges(base, ["USER a", "EXPOSE x"])).toMatchObject({ _tag: "Failure" })
    expect(applyChanges(base, ["LABEL a"])).toMatchObject({ failure: { object: "LABEL a", operation: "apply change" } })
  })
})

describe("a word", () => {
  const value = (word: string) => success(expandWord(word, (name) => ({ A: "1", EMPTY: "" })[name]))

  it.each([
    ["$A", "1"], ["${A}b", "1b"], ["$A_", ""], ["$", "$"], ["$$A", "$1"], ["\\$A", "$A"], ["'$A'", "$A"], ["\"$A\"", "1"],
    ["\"\\$A \\\" \\x\"", "$A \" \\x"], ["a\\", "a"], ["${NONE}", ""], ["${NONE:-d}", "d"], ["${EMPTY:-d}", "d"],
    ["${EMPTY-d}", ""], ["${NONE-d}", "d"], ["${A:+s}", "s"], ["${EMPTY:+s}", ""], ["${EMPTY+s}", "s"], ["${NONE:+s}", ""],
    ["${NONE:-${A}x}", "1x"], ["${NONE:-\"}\"}", "}"], ["${A:?no}", "1"], ["$1", ""], ["a\"b\"'c'd", "abcd"]
  ])("%s is worth %j", (word, worth) => {
    expect(value(word)).toBe(worth)
  })

  it("without quotes, escapes and variables is itself", () => {
    fc.assert(fc.property(fc.string({ unit: fc.constantFrom(..."ab= {}:-/é") }), (word) => {
      expect(value(word)).toBe(word)
    }))
  })

  it("in single quotes is anything but a single quote, and one word", () => {
    fc.assert(fc.property(fc.string().filter((text) => !text.includes("'")), (text) => {
      expect(splitWords(` '${text}'  x`)).toEqual([`'${text}'`, "x"])
      expect(value(`'${text}'`)).toBe(text)
    }))
  })

  it("is read to an end whatever it is", () => {
    const pieces = fc.constantFrom("$", "{", "}", "\"", "'", "\\", ":-", ":?", "A", "a", "${A:-", " ")
    fc.assert(fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
      const text = parts.join("")
      expect(splitWords(text).join("").replaceAll(/\s/g, "")).toBe(text.replaceAll(/\s/g, ""))
      for (const word of splitWords(text)) {
        const expanded = expandWord(word, () => "v")
        expect(typeof (Result.isSuccess(expanded) ? expanded.success : expanded.failure)).toBe("string")
      }
    }))
    expect(expandWord("${A:-".repeat(100_000), () => undefined)).toMatchObject({ failure: "substitutions are nested too deeply" })
  })
})

describe("an exposed port", () => {
  it("is one, or all of a range; the host's part is not the image's", () => {
    expect(success(exposedPorts("80"))).toEqual(["80/tcp"])
    expect(success(exposedPorts("127.0.0.1:8080:80/TCP"))).toEqual(["80/tcp"])
    expect(success(exposedPorts("1-65535"))).toHaveLength(65_535)
  })
})
