/**
 * Behaviours written as generators: `yield` a call, get an event. The state is the list of events
 * so far, so that it is plain data; a generator that is at hand goes on, and otherwise one is
 * brought to the same place by giving it the same events. A body must therefore be deterministic.
 */
import type { Behaviour, Call, Event, Launch } from "./Behaviour.ts"

export type Running<A> = Generator<Call, A, Event>

/**
 * Events in order. Appending shares the array as long as nobody has gone on from here in another
 * way.
 */
export class EventLog {
  private readonly events: Array<Event>
  readonly length: number

  constructor(events: Array<Event>, length: number = events.length) {
    this.events = events
    this.length = length
  }

  append(event: Event): EventLog {
    const events = this.events.length === this.length
      ? this.events
      : this.events.slice(0, this.length)
    events.push(event)
    return new EventLog(events)
  }

  toArray(): ReadonlyArray<Event> {
    return this.events.slice(0, this.length)
  }
}

interface Scripted {
  readonly launch: Launch
  readonly log: EventLog
}

/** Generators that wait for the event after a state. */
const waiting = new WeakMap<Scripted, Running<number>>()

/** The behaviour of a body; what it returns is the exit code. */
export const makeBehaviour = (body: (launch: Launch) => Running<number>): Behaviour<Scripted> => {
  const resume = (state: Scripted): Running<number> => {
    const live = waiting.get(state)
    if (live !== undefined) {
      waiting.delete(state)
      return live
    }
    const again = body(state.launch)
    for (const event of state.log.toArray()) again.next(event)
    return again
  }
  return {
    start: (launch) => ({ launch, log: new EventLog([]) }),
    step: (state, event) => {
      const running = resume(state)
      const turn = running.next(event)
      const next: Scripted = { launch: state.launch, log: state.log.append(event) }
      if (turn.done !== true) {
        waiting.set(next, running)
        return [next, turn.value]
      }
      return [next, { _tag: "Exit", code: turn.value }]
    }
  }
}
