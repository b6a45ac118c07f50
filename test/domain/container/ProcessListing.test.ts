import * as Result from "effect/Result"
import { describe, expect, it } from "vitest"
import { parseProcessListing, type ProcessListing } from "../../../src/domain/container/ProcessListing.ts"
import type { TextError } from "../../../src/domain/text/TextError.ts"

const read = (options: string): ProcessListing => Result.getOrThrow(parseProcessListing(options.split(" ").filter(Boolean)))
const titles = (options: string): string => read(options).columns.map(({ title }) => title).join(" ")
const error = (options: string): TextError => Result.getOrThrow(Result.flip(parseProcessListing([options])))

describe("options of ps", () => {
  // Titles as procps 4.0.2 prints them
  it.each([
    ["", "UID PID PPID C STIME TTY TIME CMD"],
    ["-ef", "UID PID PPID C STIME TTY TIME CMD"],
    ["-e -f", "UID PID PPID C STIME TTY TIME CMD"],
    ["-e", "PID TTY TIME CMD"],
    ["-F", "UID PID PPID C SZ RSS PSR STIME TTY TIME CMD"],
    ["-l", "F S UID PID PPID C PRI NI ADDR SZ WCHAN TTY TIME CMD"],
    ["-ly", "S UID PID PPID C PRI NI RSS SZ WCHAN TTY TIME CMD"],
    ["-Fl", "F S UID PID PPID C PRI NI ADDR SZ WCHAN RSS PSR STIME TTY TIME CMD"],
    ["-j", "PID PGID SID TTY TIME CMD"],
    ["-flj", "F S UID PID PPID PGID SID C PRI NI ADDR SZ WCHAN STIME TTY TIME CMD"],
    ["aux", "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND"],
    ["-aux", "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND"],
    ["auxww", "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND"],
    ["u", "USER PID %CPU %MEM VSZ RSS TTY STAT START TIME COMMAND"],
    ["ax", "PID TTY STAT TIME COMMAND"],
    ["-x", "PID TTY STAT TIME COMMAND"],
    ["-f x", "UID PID PPID C STIME TTY STAT TIME CMD"],
    ["l", "F UID PID PPID PRI NI VSZ RSS WCHAN STAT TTY TIME COMMAND"],
    ["j", "PPID PID PGID SID TTY TPGID STAT UID TIME COMMAND"],
    ["-o pid,ppid,cmd", "PID PPID CMD"],
    ["-opid", "PID"],
    ["-eo pid,comm", "PID COMMAND"],
    ["axo pid,args", "PID COMMAND"],
    ["-o pid -o user=WHO -o cmd=", "PID WHO "],
    ["-o pid,user=WHO,%cpu", "PID WHO %CPU"],
    ["--format pid,user:20", "PID USER"],
    ["--format=pid,rss", "PID RSS"],
    ["-O rss", "PID RSS S TTY TIME COMMAND"]
  ])("%j gives the columns %s", (options, expected) => expect(titles(options)).toBe(expected))

  it("are split at spaces, as docker's are", () => {
    expect(Result.getOrThrow(parseProcessListing(["-o pid,cmd", "--sort  -rss"])).columns).toHaveLength(2)
  })

  it("sort, and draw a forest", () => {
    expect(read("aux --sort=-rss,pid").sort.map(({ descending }) => descending)).toEqual([true, false])
    expect(read("-eo pid k -pcpu").sort).toHaveLength(1)
    expect(["axf", "--forest -e", "-eH", "-ef -o pid,cmd", "-ef"].map((options) => read(options).forest))
      .toEqual(["drawn", "drawn", "indented", "drawn", "none"])
  })

  it.each([
    ["-o cmd", "Couldn't find PID field in ps output", "have pid among the columns"],
    ["-o pid=,cmd", "Couldn't find PID field in ps output", "have pid"],
    ["-o ppid=PID", `specifying "ppid=PID" is not allowed`, "only pid"],
    ["-o pid,bogus", `unknown ps column "bogus"`, "user, uname"],
    ["-o constructor", `unknown ps column "constructor"`, "pid"],
    ["-o PID", `unknown ps column "PID"`, "pid"],
    ["-o pid,,cmd", "improper ps column list", "commas"],
    ["-o pid:0", `bad width of a ps column: "0"`, "user:20"],
    ["-o pid:", `bad width of a ps column: ""`, "user:20"],
    [`-o ${Array(201).fill("pid").join(",")}`, "too many ps columns", "200"],
    ["-o", "ps option -o needs a list", "-o pid"],
    ["--sort", "ps option --sort needs a list", "name columns"],
    ["--sort=bogus -e", `unknown ps column "bogus"`, "rss"],
    ["-f u", "conflicting ps layouts", "ask for one"],
    ["u -o pid", "conflicting ps layouts", "ask for one"],
    ["u l", "conflicting ps layouts", "ask for one"],
    ["-y", "ps option -y changes nothing but -l", "-ly"],
    ["-u root", "ps option -u would choose among processes", "all processes of the container"],
    ["-p 1", "ps option -p would choose among processes", "filter the output"],
    ["-eL", "unsupported ps option -L", "-e -f"],
    ["auxe", "unsupported ps option e", "-o LIST"],
    ["--bogus", "unsupported ps option --bogus", "--sort LIST"],
    ["12", "unsupported ps option 12", "all processes"],
    ["-", "unsupported ps option -", "all processes"]
  ])("%j is refused: %s", (options, cause, cure) => {
    expect(error(options).cause).toBe(cause)
    expect(error(options).cure).toContain(cure)
  })
})
