import { Context, Effect } from "effect"

/** Ids of the workspaces that a request makes. The client mints them, and asks for them after a lost answer. */
const mintedIds: Context.Reference<ReadonlyArray<string>> = Context.Reference("pyro/contract/mintedIds", {
  defaultValue: (): ReadonlyArray<string> => []
})

/** Header of a request to the daemon with the ids, separated by commas. */
const IDS_HEADER = "pyro-workspace-ids"

export const mintedHeaders = (ids: ReadonlyArray<string>): Readonly<Record<string, string>> =>
  ids.length === 0 ? {} : { [IDS_HEADER]: ids.join(",") }

/** Handles a request with the ids of its headers. */
export const withMinted =
  (headers: Readonly<Record<string, string | undefined>>) =>
  <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> => {
    const header = headers[IDS_HEADER]
    return header === undefined ? work : Effect.provideService(work, mintedIds, header.split(","))
  }

export const idsOfClient: Effect.Effect<ReadonlyArray<string>> = mintedIds
