import { Result, Schema } from "effect"
import { StateTooNew } from "../../contract/errors/errors.ts"
import type { SnapshotInfo } from "../../contract/rows/workspace-snapshot.ts"
import { byName, named } from "../../contract/text/names.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import { decodeVersioned, FormatTooNew, newestOf } from "../../system/files/versioned.ts"
import type { ResidentKind } from "./Resident.ts"

/** The state of one resident in a record. The Schema of the resident decodes `state`. */
export const ResidentState = Schema.Struct({ format: Schema.Int, state: Schema.Unknown })
export type ResidentState = typeof ResidentState.Type

/** The states of a workspace's residents in a record, by the residents' keys. */
export const ResidentStates = byName(ResidentState)
export type ResidentStates = typeof ResidentStates.Type

export const noStates: ResidentStates = named([])

/** A kind of resident for code that does not know the type of the kind's state. */
export interface StoredKind {
  readonly key: string
  readonly decode: (path: string, stored: ResidentState) => Result.Result<unknown, FileFailed | FormatTooNew>
  readonly describeNoted: (stored: ResidentState) => Partial<SnapshotInfo>
}

/** Decodes a state that the file `path` has. */
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

/** Says whose record a newer pyro wrote. */
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
