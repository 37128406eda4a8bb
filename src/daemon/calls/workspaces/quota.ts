import { Effect } from "effect"
import type { PayloadOf } from "../../../contract/rows/operations.ts"
import { demandCommandQuota } from "../../../workspace/entry/quota.ts"
import { startsCommand } from "../../../workspace/operations/exec.ts"
import type { AtResidents } from "../../../workspace/operations/work.ts"
import type { WorkWrap } from "./work.ts"

/**
 * Refuses a command above the quota of the workspace's tenant. Quotas of workspaces and sizes are checked where a workspace is entered.
 *
 * Needs the residents of the workspace. Stands outside of the point, which a refused command does not need.
 */
export const quota: WorkWrap = {
  name: "quota",
  does: "refuses a command above the quota of the workspace's tenant",
  because: "inside of the place, whose journal tells a new command from a known one",
  concerns: ({ name }) => name === "workspace.exec",
  around: (_, work) => (payload, at) => {
    const { commands, entry, lifecycle } = at as AtResidents
    return startsCommand(commands, payload as PayloadOf<"workspace.exec">)
      ? Effect.andThen(demandCommandQuota(lifecycle.registry, entry), work(payload, at))
      : work(payload, at)
  }
}
