/** The system calls that programs make, performed for the process that makes them. */
import type { Call } from "../behaviours/Behaviour.ts"
import { resize } from "../cgroups/memoryFiles.ts"
import { alter, type Draft, processOf } from "../Draft.ts"
import { read, readPipe, write } from "./descriptorCalls.ts"
import { closePipe, makePipe } from "./descriptors.ts"
import { endProcess } from "./exit.ts"
import { factsOf, seenProcesses } from "./facts.ts"
import type { ProgramTask } from "./Process.ts"
import {
  done, exec, handle, kill, type Outcome, sleep, spawn, takeSignals, wait
} from "./processCalls.ts"
import { addCpu } from "./program.ts"
import { performFileCall } from "./programFileCalls.ts"
import { redirected, replaceStdio } from "./redirect.ts"

/** Performs a call of `pid`, which is the draft's current process. Failures are thrown. */
export const performCall = (draft: Draft, pid: number, call: Call): Outcome => {
  switch (call._tag) {
    case "Exit":
      endProcess(draft, pid, { code: call.code & 0xff, signal: 0 })
      return undefined
    case "Sleep":
      return sleep(draft, pid, call.micros)
    case "Pause":
      return undefined
    case "Compute":
      if ((processOf(draft, pid).task as ProgramTask).until === undefined) {
        addCpu(draft, pid, call.micros)
      }
      return sleep(draft, pid, call.micros)
    case "Read":
      return read(draft, pid, call.descriptor)
    case "Write":
      return write(draft, pid, call)
    case "Spawn":
      return spawn(draft, pid, call)
    case "Exec":
      return exec(draft, pid, call)
    case "Wait":
      return wait(draft, pid, call.pid, call.poll)
    case "Kill":
      return kill(draft, pid, call.pid, call.signal)
    case "TakeSignals":
      return { value: takeSignals(draft, pid) }
    case "Handle":
      return handle(draft, pid, call.signal, call.how)
    case "Allocate":
      resize(draft, pid, Math.max(0, processOf(draft, pid).memory + call.bytes))
      return done
    case "MakePipe": {
      const pipe = makePipe(draft, 1, 1, pid)
      alter(draft, pid, { pipes: [...processOf(draft, pid).pipes, pipe] })
      return { value: pipe }
    }
    case "ClosePipe":
      closePipe(draft, pid, call.pipe)
      return done
    case "ReadPipe":
      return readPipe(draft, pid, call.pipe)
    case "Redirect": {
      const process = processOf(draft, pid)
      replaceStdio(draft, process, redirected(draft, process, call.redirections))
      return done
    }
    case "Facts":
      return { value: factsOf(draft, processOf(draft, pid)) }
    case "Processes":
      return { value: seenProcesses(draft, processOf(draft, pid)) }
    default:
      return { value: performFileCall(draft, pid, call) }
  }
}
