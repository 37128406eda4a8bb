import { Effect } from "effect"
import type { NetworkLogPayload, NetworkLogResult } from "../../../contract/rows/workspace-network.ts"
import { hostLists, listNames } from "../../../lib/network/model/lists.ts"
import type { Entry } from "../../entry/entry.ts"
import type { ConnectionLog } from "./log.ts"
import type { Network } from "./network.ts"

/** Open connections that one answer has. */
const MOST_OPEN = 100

/** The page, or the next page that has an entry. */
const pageWithEntry = (
  log: ConnectionLog,
  asked: NetworkLogPayload
): Effect.Effect<ReturnType<ConnectionLog["page"]>> =>
  Effect.suspend(() => {
    const page = log.page(asked)
    return page.entries.length > 0 || !asked.follow
      ? Effect.succeed(page)
      : Effect.andThen(log.after(page.nextCursor), pageWithEntry(log, { ...asked, cursor: page.nextCursor }))
  })

/** Shows the connections of a workspace. A follower waits until the workspace is deleted. */
export const showNetworkLog = (
  entry: Entry,
  network: Network,
  payload: NetworkLogPayload
): Effect.Effect<NetworkLogResult> =>
  Effect.gen(function*() {
    const deleted = Effect.andThen(entry.deletion.begun, Effect.sync(() => network.log.page(payload)))
    const page = yield* Effect.raceFirst(pageWithEntry(network.log, payload), deleted)
    return { ...page, open: payload.denied ? [] : network.open(MOST_OPEN) }
  })

/** The named lists of hosts. */
export const showHostLists = Effect.sync(() => ({
  lists: listNames.map((name) => {
    const { description, hosts } = hostLists[name]!
    return { name, description, hosts }
  })
}))
