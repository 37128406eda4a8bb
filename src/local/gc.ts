import { Effect } from "effect"
import { StateDirectoryUnusable } from "../contract/errors/errors.ts"
import { Environments } from "../environment/Environments.ts"
import { sweepRepositories, temporariesOf } from "../seeding/cache.ts"
import { Paths } from "../system/files/Paths.ts"
import { sweepTemporaries } from "../system/files/temporary.ts"
import { leaveMemoryStore, sweepVms } from "../vm/sweep.ts"
import { sweepTemplates } from "../vm/templates.ts"
import { sweepWorkspaces } from "../workspace/life/sweep.ts"
import { tendDisk } from "./disk/budget.ts"
import { diskUsage } from "./disk/usage.ts"

/** Unfinished files of one kind, as one entry. */
const halfMade = (what: string, freedBytes: number) => freedBytes > 0 ? [{ kind: "build", what, freedBytes }] : []

const sweepSeeds = (cacheDir: string) => {
  const parent = temporariesOf(cacheDir)
  return sweepTemporaries(parent).pipe(
    Effect.catch((cause) => new StateDirectoryUnusable({ path: parent, detail: cause.message }))
  )
}

/** Sweeps the leftovers of crashes. VMs come first, so that no file is removed under a running one. */
export const gc = Effect.gen(function*() {
  const { cacheDir } = yield* Paths
  const vms = yield* sweepVms
  const workspaces = yield* sweepWorkspaces
  const swept = [
    ...vms,
    ...(yield* leaveMemoryStore).map((what) => ({ kind: "folder", what, freedBytes: 0 })),
    ...workspaces.swept,
    ...yield* sweepTemplates,
    ...halfMade("half-made images and kernels", yield* (yield* Environments).sweep),
    ...halfMade("half-made seeds", yield* sweepSeeds(cacheDir)),
    ...halfMade("half-fetched repositories", yield* sweepRepositories(cacheDir)),
    ...yield* tendDisk
  ]
  // Last: a workspace that cannot be swept must not keep the rest.
  for (const failure of workspaces.stay) return yield* failure
  return {
    swept: swept.map(({ kind, what }) => ({ kind, what })),
    freedBytes: swept.reduce((sum, { freedBytes }) => sum + freedBytes, 0),
    disk: yield* diskUsage
  }
})
