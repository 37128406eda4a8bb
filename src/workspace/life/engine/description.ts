import type { Effect, Option, Scope } from "effect"
import type { PyroError } from "../../../contract/errors/errors.ts"
import type { WorkspaceState } from "../../../contract/rows/workspace-info.ts"
import type { Guest } from "../../../lib/vm/model/guest.ts"
import type { Paths } from "../../../system/files/Paths.ts"
import type { Generation } from "../../entry/current-generation.ts"
import type { Entry } from "../../entry/entry.ts"
import type { EventLog, NewEvent } from "../../entry/events.ts"
import type { WorkspaceRecord } from "../../entry/record.ts"
import type { GuestLost } from "../../entry/resident.ts"
import type { Rebase } from "./rebase.ts"

/**
 * Steps of each transition that change the state which a crash leaves. `transition.ts` has a fault point `<transition>:<step>` at
 * each of them.
 */
export const crashPoints = {
  create: ["built", "committed"],
  "create-from": ["built", "committed", "settled"],
  start: ["built", "committed"],
  stop: ["handed-over", "committed", "settled"],
  pause: ["handed-over", "committed", "settled"],
  resume: ["built", "committed", "settled"],
  reset: ["built", "handed-over", "committed", "settled"],
  "reset-to": ["built", "committed", "settled"],
  rewind: ["built", "committed", "settled"],
  fork: ["built", "committed", "settled"],
  adopt: ["built"],
  died: ["settled"],
  delete: ["committed", "settled"]
} as const satisfies Readonly<Record<string, ReadonlyArray<Step>>>

export type Step = "built" | "handed-over" | "committed" | "settled"
type TransitionName = keyof typeof crashPoints

/** Services that the engine itself takes: for the event of a step, and for files that a step leaves behind. */
export type TransitionServices = EventLog | Paths

/**
 * Registers the undo of a part of the build. The undo runs if the transition fails or is interrupted before the commit of the
 * record.
 */
export type OnUndo = (undo: Effect.Effect<void>) => Effect.Effect<void>

/** The generations on both sides of a transition. No request can start work in either. */
interface Sides {
  readonly old: Option.Option<Generation>
  readonly next: Generation | undefined
}

/** One workspace's change from a generation to the next, as data for the engine in `transition.ts`. An absent field omits a step. */
export interface Transition<R = never, E = never> {
  readonly name: TransitionName
  readonly entry: Entry
  /** State that `status` shows until the transition ends. */
  readonly shows?: WorkspaceState
  /** The generation that the caller has detached already. @default the current one, detached when the next one is built */
  readonly detached?: Generation
  /** Makes the guest of the next generation; the Scope is the generation's. Interruptible. @default there is no next generation */
  readonly build?: (onUndo: OnUndo) => Effect.Effect<Guest, E, R | Scope.Scope>
  /** Scope of the next generation, for a VM that is reserved before the transition. @default a new one below the entry's */
  readonly scope?: Scope.Closeable
  /** The build attaches to the VM that the record names. @default that VM ends first if this process is not attached to it */
  readonly attaches?: true
  /** The last work between the two generations before the record changes. */
  readonly handOver?: (sides: Sides) => Effect.Effect<void, E, R>
  /** Undoes the hand-over, before the old generation is the current one again. @default nothing */
  readonly undone?: Effect.Effect<void>
  /** Changes the record; the engine adds phase and VM of the next generation. @default the record stays as it is */
  readonly change?: (record: WorkspaceRecord) => WorkspaceRecord
  /** The record is on disk before the transition continues. */
  readonly durable?: true
  /** The transition continues even if the disk has no room for the changed record. */
  readonly unwritten?: "ignored"
  /** Why the residents end: their VM is gone. @default they are not told */
  readonly lose?: GuestLost
  /** The residents rest until another VM continues the memory of this one: the reason for their waiters. */
  readonly rest?: GuestLost
  /** Time that the clock of the residents' processes stood still, in ms. */
  readonly wakesAfterMs?: () => number
  /** State that the residents are brought to. @default they keep theirs */
  readonly rebase?: Rebase
  /** Makes that state, beside the build. */
  readonly rebasing?: Effect.Effect<Rebase, E, R>
  /** The residents find their processes in the next generation's VM. */
  readonly adopts?: true
  readonly event?: NewEvent
  /** State of a workspace that has no generation afterwards. @default its present state */
  readonly leaves?: WorkspaceState
  /** Disk that is unused once the next generation runs. */
  readonly oldDisk?: string
}

/** Longest reason that the event log keeps, in characters: the console of the guest is a part. */
const MAX_CHARACTERS = 8_192

/** The event of a VM's end. */
export const diedOf = (failure: PyroError): NewEvent => ({
  _tag: "died",
  detail: failure.fact.slice(0, MAX_CHARACTERS)
})

/**
 * The end of a VM that no request caused. The record still names the VM: the next process finds the VM dead, and reaches the same
 * state.
 */
export const death = (entry: Entry, generation: Generation, failure: GuestLost): Transition => ({
  name: "died",
  entry,
  detached: generation,
  handOver: () => entry.state.fail(failure.fact),
  lose: failure,
  event: diedOf(failure)
})
