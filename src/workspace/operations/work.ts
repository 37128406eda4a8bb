import type { Effect, Scope, Stream } from "effect"
import type { PyroError } from "../../contract/errors/errors.ts"
import type { PullEvents } from "../../contract/rows/event-batches.ts"
import type { EventOf, OperationName, OperationOf, PayloadOf, ResultOf } from "../../contract/rows/operations.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import type { Lifecycle, LifecycleServices, Notify } from "../entry/context.ts"
import type { Entry, Generation } from "../entry/entry.ts"
import type { Registry } from "../entry/registry.ts"
import type { OpenResidents } from "../residents/open.ts"

/** Given to every work: the workspaces of this process. */
export interface AtAll {
  readonly lifecycle: Lifecycle
  readonly registry: Registry
}

/** The workspace that the payload names. */
export interface AtEntry extends AtAll {
  readonly entry: Entry
}

/** Also what lives in its VM, which need not run. */
export interface AtResidents extends AtEntry, OpenResidents {}

/** Also its running VM. */
export interface AtRunning extends AtResidents {
  readonly generation: Generation
}

/** The workspace, and a guest that reads its files while the work lasts. */
export interface AtReader extends AtEntry {
  readonly channel: GuestChannel
}

interface Places {
  readonly entry: AtEntry
  readonly residents: AtResidents
  readonly running: AtRunning
  readonly reader: AtReader
}

/** Operations whose work is in the rooms of `workspace`. */
export type WorkspacesOperation = Extract<OperationName, "watch" | `workspace.${string}`>

type PlaceOf<Name extends OperationName> = OperationOf<Name> extends { readonly on?: infer Place }
  ? Extract<Place, keyof Places>
  : never

/** What the row of an operation says that its work is given. */
type At<Name extends OperationName> = [PlaceOf<Name>] extends [never] ? AtAll : Places[PlaceOf<Name>]

/** The work of an operation with events, in the shape that suits it. Its caller's interruption ends it. */
type StreamingWork<Name extends OperationName> =
  /** Notices while it works, and then the event that it gives. */
  | {
    readonly notices: (
      at: At<Name> & { readonly notify: Notify },
      payload: PayloadOf<Name>
    ) => Effect.Effect<EventOf<Name>, PyroError, LifecycleServices>
  }
  /** Batches that the caller pulls. The Scope ends it. */
  | {
    readonly pulls: (
      at: At<Name>,
      payload: PayloadOf<Name>,
      input: RunInput
    ) => Effect.Effect<PullEvents<EventOf<Name>>, PyroError, LifecycleServices | Scope.Scope>
  }
  | {
    readonly events: (
      at: At<Name>,
      payload: PayloadOf<Name>
    ) => Stream.Stream<EventOf<Name>, PyroError, LifecycleServices>
  }

export type WorkOf<Name extends OperationName> = OperationOf<Name> extends { readonly kind: "streaming" }
  ? StreamingWork<Name>
  : (at: At<Name>, payload: PayloadOf<Name>) => Effect.Effect<ResultOf<Name>, PyroError, LifecycleServices>

/** The work of every operation on workspaces. Each file beside this one has the works of one noun. */
export type Works = { readonly [Name in WorkspacesOperation]: WorkOf<Name> }
