import { Effect } from "effect"
import { setNetwork } from "../residents/network/set.ts"
import { showNetworkLog } from "../residents/network/show.ts"
import { infoOf } from "./info.ts"
import type { Works } from "./work.ts"

/** The work of the operations on a workspace's network. */
export const networkWorks = {
  "workspace.network.set": ({ entry, ...residents }, payload) =>
    Effect.flatMap(
      setNetwork(entry, residents, payload),
      (changed) => Effect.map(infoOf(entry), (workspace) => ({ workspace, ...changed }))
    ),
  "workspace.network.log": ({ entry }, payload) => showNetworkLog(entry, payload)
} satisfies Partial<Works>
