/**
 * The numbers of system calls. Names are looked up once, for an index that all architectures share; each
 * architecture then has a column of numbers by that index.
 */
import { type Architecture, architectureFacts } from "./Architecture.ts"
import { columns, names } from "./data/syscallNumbers.ts"

/** Most commands load this file and never compile a filter. */
const lazy = <A>(make: () => A): () => A => {
  let made: { readonly value: A } | undefined
  return () => (made ??= { value: make() }).value
}

const indexes = lazy(() => new Map(names().map((name, index) => [name, index])))

/** Undefined for a name that no architecture has. */
export const syscallIndex = (name: string): number | undefined => indexes().get(name)

/** In a column: the architecture does not have the call. */
export const absent = -1

/** By index, without the architecture's `numberBase`. */
export const syscallNumbers = (architecture: Architecture): ReadonlyArray<number> =>
  columns[architectureFacts(architecture).column]()

export interface MultiplexedCall {
  /** The index of `socketcall` or `ipc`. */
  readonly through: number
  /** Of the first argument, the part by which the kernel chooses the call. */
  readonly mask: bigint
  /** The value by which it chooses this one: linux/net.h, linux/ipc.h. */
  readonly call: bigint
}

/** An int to the kernel, whatever the register holds above. */
const socketcallMask = 0xffff_ffffn
const socketcalls = {
  socket: 1, bind: 2, connect: 3, listen: 4, accept: 5, getsockname: 6, getpeername: 7, socketpair: 8,
  send: 9, recv: 10, sendto: 11, recvfrom: 12, shutdown: 13, setsockopt: 14, getsockopt: 15,
  sendmsg: 16, recvmsg: 17, accept4: 18, recvmmsg: 19, sendmmsg: 20
}

/** The upper half is a version of the interface: ipc/syscall.c. */
const ipcMask = 0xffffn
const ipcCalls = {
  semop: 1, semget: 2, semctl: 3, semtimedop: 4, msgsnd: 11, msgrcv: 12, msgget: 13, msgctl: 14,
  shmat: 21, shmdt: 22, shmget: 23, shmctl: 24
}

const multiplexed = lazy(() => {
  const index = (name: string): number => syscallIndex(name)!
  const through = (multiplexer: string, mask: bigint, calls: { readonly [name: string]: number }) =>
    Object.entries(calls).map(([name, call]): [number, MultiplexedCall] => [
      index(name),
      { through: index(multiplexer), mask, call: BigInt(call) }
    ])
  return new Map([
    ...through("socketcall", socketcallMask, socketcalls),
    ...through("ipc", ipcMask, ipcCalls)
  ])
})

/**
 * How the call of that index can also be made on architectures that have `socketcall` and `ipc` (x86, 32-bit
 * mips, ppc, s390); undefined for a call that has no such second way.
 */
export const multiplexedCall = (index: number): MultiplexedCall | undefined => multiplexed().get(index)
