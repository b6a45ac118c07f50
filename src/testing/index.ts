/**
 * What consumers of the engine use in their own tests: a simulated kernel and host, programs as
 * behaviours, faults and crashes, and checks of what a run has left.
 */
export { Crash, crashing } from "../interpreters/middleware/crashing.ts"
export { deadline } from "../interpreters/middleware/deadline.ts"
export { dryRun } from "../interpreters/middleware/dryRun.ts"
export { type Fault, faulty, type Selection } from "../interpreters/middleware/faulty.ts"
export { possibleErrnos, possibleInitErrnos } from "../interpreters/middleware/possibleErrnos.ts"
export { recorded } from "../interpreters/middleware/recorded.ts"
export { type Difference, type Replay, replay } from "../interpreters/middleware/replayed.ts"
export { interrupted, slow } from "../interpreters/middleware/slow.ts"
export {
  decodeTrace, encodeTraceEntry, type TraceEntry
} from "../interpreters/middleware/TraceEntry.ts"
export type {
  Behaviour, Behaviours, Call, Event, Facts, Launch
} from "../interpreters/simulated/behaviours/Behaviour.ts"
export * as calls from "../interpreters/simulated/behaviours/calls.ts"
export { makeBehaviour, type Running } from "../interpreters/simulated/behaviours/makeBehaviour.ts"
export { exitAt, wrongExits } from "../interpreters/simulated/check/exits.ts"
export {
  cgroupPaths, hostPaths, hostText, liveProcesses
} from "../interpreters/simulated/check/hostView.ts"
export { brokenInvariants, namesUnique } from "../interpreters/simulated/check/invariants.ts"
export { type Finding, type LeakOptions, leaks } from "../interpreters/simulated/check/leaks.ts"
export { limitsExceeded, limitsNotSet } from "../interpreters/simulated/check/limits.ts"
export { reboot } from "../interpreters/simulated/boot/bootHost.ts"
export { decodeWorld, encodeWorld } from "../interpreters/simulated/encodeWorld.ts"
export { defaultHost, type HostProfile } from "../interpreters/simulated/HostProfile.ts"
export { type HostFile, makeWorld, type WorldOptions } from "../interpreters/simulated/makeWorld.ts"
export type { FaultEffect, RegistryFault } from "../interpreters/simulated/registry/RegistryFault.ts"
export { digestBytes, simulatedDigester } from "../interpreters/simulated/registry/sha2.ts"
export {
  type NetworkOptions, type Passage, SimulatedNetwork
} from "../interpreters/simulated/registry/SimulatedNetwork.ts"
export { SimulatedRegistry } from "../interpreters/simulated/registry/SimulatedRegistry.ts"
export { Deadlock, SimulatedRuntime } from "../interpreters/simulated/SimulatedRuntime.ts"
export { Simulation } from "../interpreters/simulated/Simulation.ts"
export { advance, nextTurn, notYet, step } from "../interpreters/simulated/step.ts"
export type { World } from "../interpreters/simulated/World.ts"
export { Credentials } from "../programs/registry/Credentials.ts"
export { type CredentialStore, dockerCredentials } from "../programs/registry/dockerCredentials.ts"
export { Registry } from "../programs/registry/Registry.ts"
export { anyOp, blobOp, cgroupOp, fileOp, recordOp, treeOp } from "./arbitraries.ts"
export {
  runOn, runSimulated, runSimulatedExit, type SimulatedRun, runtimeFor
} from "./runSimulated.ts"
export { SimulatedHost } from "./SimulatedHost.ts"
export {
  engineOn, simulate, simulatedKernel, type SimulatedKernelOptions
} from "./simulatedKernel.ts"
export { type CrashRun, untilCrash } from "./untilCrash.ts"
