import { Effect, Option } from "effect"
import type { WorkspaceNotReady } from "../../../contract/errors/errors.ts"
import type { WorkspaceOperation } from "../../../contract/rows/operations.ts"
import type { Entry } from "../../entry/entry.ts"
import { notReady } from "../../entry/not-ready.ts"
import type { Residents } from "../../entry/resident-list.ts"
import type { OpenResidents } from "./open.ts"

/** Only `openResidents` makes the residents of an entry. The type of the entry knows them as a list. */
const isOpen = (residents: Residents): residents is OpenResidents => "commands" in residents

/** The residents of a workspace by name. None only during the creation of the workspace. */
export const openResidentsOf = (entry: Entry): Effect.Effect<Option.Option<OpenResidents>> =>
  Effect.map(entry.residents.now, Option.filter(isOpen))

/** The residents of a workspace, for an operation on it. */
export const residentsOf = (
  entry: Entry,
  operation: WorkspaceOperation
): Effect.Effect<OpenResidents, WorkspaceNotReady> =>
  Effect.flatMap(
    openResidentsOf(entry),
    Option.match({
      onNone: () => notReady(entry, operation),
      onSome: Effect.succeed
    })
  )

/** Whether something uses the workspace now. */
export const isBusy = (entry: Entry): Effect.Effect<boolean> =>
  Effect.flatMap(
    entry.residents.now,
    Option.match({
      onNone: () => Effect.succeed(false),
      onSome: (residents) => residents.isBusy
    })
  )

/** The secrets that content of a workspace must not contain. None if the request allows secrets. */
export const guardOf = (entry: Entry, { allowSecrets }: { readonly allowSecrets?: boolean }) =>
  Effect.map(
    openResidentsOf(entry),
    (residents) => allowSecrets === true ? undefined : Option.getOrUndefined(residents)?.secrets.set
  )
