import { Context, Effect, type Scope, type Stream } from "effect"
import type {
  DaemonUnavailable,
  HostToolMissing,
  InvalidConfiguration,
  NoSpace,
  PyroError,
  StateDirectoryUnusable
} from "../../contract/errors/errors.ts"
import type { PullEvents } from "../../contract/rows/event-batches.ts"
import type { WorkspaceOperation } from "../../contract/rows/operations.ts"
import type {
  ErrorOf,
  EventOf,
  OperationName,
  OperationOf,
  PayloadOf,
  ResultOf
} from "../../contract/rows/operations.ts"
import type { RunInput } from "../../contract/rows/run-input.ts"
import { SeedImages } from "../../lib/disk/SeedImages.ts"
import { Environments } from "../../lib/environment/Environments.ts"
import { Kernel } from "../../lib/environment/Kernel.ts"
import type { GuestChannel } from "../../lib/guest-channel/GuestChannel.ts"
import { Dialler } from "../../lib/network/Dialler.ts"
import { SecretRegistry } from "../../lib/redaction/secrets.ts"
import { HostFacts } from "../../lib/vm/model/HostFacts.ts"
import { Pool } from "../../lib/vm/Pool.ts"
import { Vmm } from "../../lib/vm/Vmm.ts"
import { Paths } from "../../system/files/Paths.ts"
import { touch } from "../entry/activity.ts"
import type { Lifecycle, Notify } from "../entry/context.ts"
import type { Generation } from "../entry/current-generation.ts"
import type { Entry } from "../entry/entry.ts"
import { EventLog } from "../entry/events.ts"
import { PortHolders } from "../entry/port-holders.ts"
import type { Registry } from "../entry/registry.ts"
import { runningGeneration } from "../life/engine/running.ts"
import type { LookAtFiles } from "../life/read/inspected-root.ts"
import { borrowReader, explainEnd } from "../life/read/reader.ts"
import { wakeFor } from "../life/verbs/pause.ts"
import { residentsOf } from "../residents/open/entry-residents.ts"
import type { OpenResidents } from "../residents/open/open.ts"

const services = [
  Dialler,
  Environments,
  EventLog,
  HostFacts,
  Kernel,
  SecretRegistry,
  Paths,
  Pool,
  PortHolders,
  SeedImages,
  Vmm
] as const

/** Services of the house. Each verb of life names those that it takes itself, in types of their subjects such as `GuestServices`. */
export type HouseServices = Context.Service.Identifier<typeof services[number]>
export const pickHouseServices = Context.pick(...services)

/** Why a process does not get the workspaces. */
export type HouseFailure = DaemonUnavailable | HostToolMissing | InvalidConfiguration | NoSpace | StateDirectoryUnusable

/** The workspaces that operations work on, and the services of their work. */
export interface House {
  readonly lifecycle: Lifecycle
  readonly services: Context.Context<HouseServices>
}

/** The workspaces of this process. Every work gets them. */
export interface AtAll {
  readonly lifecycle: Lifecycle
  readonly registry: Registry
}

/** Also the workspace that the payload names. */
export interface AtEntry extends AtAll {
  readonly entry: Entry
}

/** Also the residents of its VM, which need not run. */
export interface AtResidents extends AtEntry, OpenResidents {}

/** Also its running VM. */
export interface AtRunning extends AtResidents {
  readonly generation: Generation
}

/** Also a guest that reads the files of the workspace until the work ends. */
export interface AtReader extends AtEntry {
  readonly channel: GuestChannel
  readonly lookAtFiles: LookAtFiles
}

interface Places {
  readonly entry: AtEntry
  readonly residents: AtResidents
  readonly running: AtRunning
  readonly reader: AtReader
}

/** Operations whose work is in the rooms of `workspace`. */
export type WorkspacesOperation = Exclude<
  Extract<OperationName, "watch" | `saved.${string}` | `workspace.${string}`>,
  // It needs a builder.
  "workspace.commit"
>

type PlaceOf<Name extends OperationName> = OperationOf<Name> extends { readonly on?: infer Place }
  ? Extract<Place, keyof Places>
  : never

/** The argument of an operation's work, by the row of the operation. */
type At<Name extends OperationName> = [PlaceOf<Name>] extends [never] ? AtAll : Places[PlaceOf<Name>]

/** The work of an operation with events, in one of three forms. An interruption of the caller ends the work. */
type StreamingWork<Name extends OperationName> =
  /** Notices during the work, and then its one event. */
  | {
    readonly notices: (
      at: At<Name> & { readonly notify: Notify },
      payload: PayloadOf<Name>
    ) => Effect.Effect<EventOf<Name>, ErrorOf<Name>, HouseServices>
  }
  /** Batches that the caller pulls, until the Scope closes. */
  | {
    readonly pulls: (
      at: At<Name>,
      payload: PayloadOf<Name>,
      input: RunInput
    ) => Effect.Effect<PullEvents<EventOf<Name>, ErrorOf<Name>>, ErrorOf<Name>, HouseServices | Scope.Scope>
  }
  | {
    readonly events: (
      at: At<Name>,
      payload: PayloadOf<Name>
    ) => Stream.Stream<EventOf<Name>, ErrorOf<Name>, HouseServices>
  }

type WorkOf<Name extends OperationName> = OperationOf<Name> extends { readonly kind: "streaming" } ? StreamingWork<Name>
  : (at: At<Name>, payload: PayloadOf<Name>) => Effect.Effect<ResultOf<Name>, ErrorOf<Name>, HouseServices>

/** The work of every operation on workspaces. `works.ts` is the table. */
export type Works = { readonly [Name in WorkspacesOperation]: WorkOf<Name> }

/** Work with the running VM of a workspace. If that VM ends meanwhile, its end is the error. */
export const inRunning = <A, E, R>(
  lifecycle: Lifecycle,
  entry: Entry,
  operation: WorkspaceOperation,
  { writes }: { readonly writes: boolean },
  work: (at: AtRunning) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const generation = yield* runningGeneration(entry, operation)
    const residents = yield* residentsOf(entry, operation)
    if (writes) yield* touch(entry.folder)
    return yield* explainEnd({ entry, generation })(
      work({ ...residents, lifecycle, registry: lifecycle.registry, entry, generation })
    )
  })

/** Work with a guest that reads a workspace in its present state. */
export const inReader = <A, E extends PyroError, R>(
  lifecycle: Lifecycle,
  entry: Entry,
  operation: WorkspaceOperation,
  work: (at: AtReader) => Effect.Effect<A, E, R>
) =>
  Effect.scoped(Effect.flatMap(
    borrowReader(lifecycle, entry, operation, wakeFor(lifecycle, entry, operation)),
    ({ channel, explain, lookAtFiles }) =>
      explain(work({ lifecycle, registry: lifecycle.registry, entry, channel, lookAtFiles }))
  ))
