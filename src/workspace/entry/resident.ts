import { type Effect, type Option, Result, Schema, type Scope } from "effect"
import {
  type ChannelFailed,
  type GuestPanicked,
  type NoSpace,
  type StateDirectoryUnusable,
  StateTooNew,
  type VmFailed,
  type WorkspaceNotReady
} from "../../contract/errors/errors.ts"
import type { WorkspaceInfo } from "../../contract/rows/workspace-info.ts"
import type { SnapshotInfo } from "../../contract/rows/workspace-snapshot.ts"
import { byName, named } from "../../contract/text/names.ts"
import type { GuestChannel } from "../../lib/guest-channel/GuestChannel.ts"
import type { Vm } from "../../lib/vm/model/Vm.ts"
import { decodeVersioned, FormatTooNew, newestOf, type Upgrades } from "../../system/files/atomic-file.ts"
import type { FileFailed } from "../../system/files/failure.ts"

/** Why a microVM is lost to the work and the programs in it: it ended, nobody reaches it, or the workspace rests or has another. */
export type GuestLost = ChannelFailed | GuestPanicked | VmFailed | WorkspaceNotReady

const losses: ReadonlySet<string> = new Set<GuestLost["_tag"]>([
  "ChannelFailed",
  "GuestPanicked",
  "VmFailed",
  "WorkspaceNotReady"
])

export const isGuestLost = (failure: { readonly _tag: string }): failure is GuestLost => losses.has(failure._tag)

/** Why a resident cannot follow its VM. */
export type ResidentFailure = ChannelFailed | NoSpace | StateDirectoryUnusable

/** The VM that residents live in. */
export interface ResidentVm {
  readonly channel: GuestChannel
  readonly guest: { readonly vm: Pick<Vm, "id" | "process" | "spec"> }
  readonly scope: Scope.Scope
}

/** The moment of a capture: `note` recorded the states of the residents. */
export interface NotedAt {
  /** Folder that `note` put files into. */
  readonly folder: string
  /** Time since the moment, in ms. */
  readonly sinceMs: number
}

/** How the state of a resident is stored, in workspace records and in snapshot records. */
export interface ResidentKind<State, Encoded = State> {
  /** Key of the state in a record. */
  readonly key: string
  readonly state: Schema.Codec<State, Encoded>
  /** One function for each format before the present one. */
  readonly upgrades: Upgrades<unknown>
  /** Description of a snapshot's state in `pyro snapshot list`. */
  readonly describeNoted?: (state: State) => Partial<SnapshotInfo>
}

/**
 * Something that lives in a workspace's VM and follows the VM through every change: execs, shells, services, ports. The lifecycle calls
 * all residents of a workspace through the list of `resident-list.ts`, and no resident by name.
 */
export interface Resident<State> {
  /**
   * Begins in the VM of a new generation, after the record of the generation is written. `kept` is the state in the record of the
   * workspace. If the transition adopts, `adopt` came before.
   * @default nothing
   */
  readonly begin?: (vm: ResidentVm, kept: Option.Option<State>) => Effect.Effect<void, ResidentFailure>
  /** Adopts the resident in a running VM. `kept` is the state in the record of the workspace. */
  readonly adopt: (vm: ResidentVm, kept: Option.Option<State>) => Effect.Effect<void, ResidentFailure>
  /** Ends every waiter with `reason`: the VM has ended. */
  readonly lose: (reason: GuestLost) => Effect.Effect<void>
  /**
   * The workspace is paused: its memory is on disk, and nothing has ended. Ends every waiter with `reason`. `adopt` in another VM follows, or
   * `lose`. Also in a process that finds the workspace paused.
   * @default nothing
   */
  readonly rest?: (reason: GuestLost) => Effect.Effect<void>
  /** The processes continue `sinceMs` after a pause, in which their clock stood still. `adopt` follows. @default nothing */
  readonly wakeUp?: (sinceMs: number) => Effect.Effect<void, ResidentFailure>
  /** Pauses for a capture of the VM, and continues when the Scope closes. */
  readonly quiesce?: Effect.Effect<void, never, Scope.Scope>
  /**
   * Records the present state for a capture, with files in `folder`. The VM is paused, so this must neither wait nor take long.
   * @default a snapshot has no state of the resident
   */
  readonly note?: (folder: string) => Effect.Effect<State, NoSpace | StateDirectoryUnusable>
  /** Completes the files that `note` made. The VM runs again. */
  readonly finishNote?: (noted: State, folder: string) => Effect.Effect<void, ResidentFailure>
  /** Inherits a recorded state, of this workspace or of the source of its fork. `adopt` follows. Only for a resident with `note`. */
  readonly inherit?: (noted: State, at: NotedAt) => Effect.Effect<void, ResidentFailure>
  /** The resident is a history, which continues when a candidate of a try becomes the workspace. @default the resident ends with its VM */
  readonly isHistory?: true
  /** Forgets everything: the workspace is at its baseline again. May run twice. */
  readonly clear: Effect.Effect<void, ResidentFailure>
  /**
   * Sentences for the caller that made the present VM, about parts that differ from the VM before. Gives each sentence once.
   * @default none
   */
  readonly takeWarnings?: Effect.Effect<ReadonlyArray<string>>
  /** Whether a process of the guest belongs to this resident. pyro does not attach to other processes. */
  readonly owns?: (processId: string) => boolean
  /** Whether the resident uses the workspace now: a busy workspace does not expire. */
  readonly isBusy?: Effect.Effect<boolean>
  /** Part of `pyro status` about the resident. */
  readonly describe?: Effect.Effect<Partial<WorkspaceInfo>>
}

/** The state of one resident in a record. The Schema of the resident decodes `state`. */
export const ResidentState = Schema.Struct({ format: Schema.Int, state: Schema.Unknown })
export type ResidentState = typeof ResidentState.Type

/** The states of a workspace's residents in a record, by the residents' keys. */
export const ResidentStates = byName(ResidentState)
export type ResidentStates = typeof ResidentStates.Type

export const noStates: ResidentStates = named([])

/** A kind of resident, for code that does not know the type of its state. */
export interface StoredKind {
  readonly key: string
  readonly decode: (path: string, stored: ResidentState) => Result.Result<unknown, FileFailed | FormatTooNew>
  readonly describeNoted: (stored: ResidentState) => Partial<SnapshotInfo>
}

/** Decodes a state from the file `path`. */
export const decodeState = <State, Encoded>(
  { state: schema, upgrades }: ResidentKind<State, Encoded>,
  path: string,
  { format, state }: ResidentState
): Result.Result<State, FileFailed | FormatTooNew> =>
  decodeVersioned(path, { format, value: state }, { schema, upgrades })

export const encodeState = <State, Encoded>(kind: ResidentKind<State, Encoded>, state: State): ResidentState => ({
  format: newestOf(kind.upgrades),
  state: Schema.encodeSync(kind.state)(state)
})

export const storedKind = <State, Encoded>(kind: ResidentKind<State, Encoded>): StoredKind => ({
  key: kind.key,
  decode: (path, stored) => decodeState(kind, path, stored),
  describeNoted: (stored) =>
    Result.match(decodeState(kind, "", stored), {
      onFailure: () => ({}),
      onSuccess: (state) => kind.describeNoted?.(state) ?? {}
    })
})

/** Path of a record, for errors. */
export type RecordPlace = Pick<StateTooNew, "workspace" | "path"> & Partial<Pick<StateTooNew, "snapshot">>

/** The error for a record that a newer pyro wrote. */
export const tooNew = (place: RecordPlace, part = "the record") => ({ format, newest }: FormatTooNew) =>
  new StateTooNew({ ...place, part, format, newest })

/** Fails if this pyro cannot read one of the states: a newer pyro wrote the state, or the state is damaged. */
export const demandReadable = (
  kinds: ReadonlyArray<StoredKind>,
  place: RecordPlace,
  states: ResidentStates
): Result.Result<void, FileFailed | StateTooNew> =>
  Result.map(
    Result.all(
      Object.entries(states).map(([key, stored]) =>
        Result.mapError(
          kinds.find((kind) => kind.key === key)?.decode(place.path, stored) ??
            Result.fail(new FormatTooNew({ format: stored.format, newest: 0 })),
          (failure) => failure._tag === "FormatTooNew" ? tooNew(place, `the state of its "${key}"`)(failure) : failure
        )
      )
    ),
    () => undefined
  )

/** Descriptions of a snapshot's states. */
export const describeStates = (kinds: ReadonlyArray<StoredKind>, states: ResidentStates): Partial<SnapshotInfo> =>
  Object.assign(
    {},
    ...kinds.map((kind) => {
      const state = states[kind.key]
      return state === undefined ? {} : kind.describeNoted(state)
    })
  ) as Partial<SnapshotInfo>
