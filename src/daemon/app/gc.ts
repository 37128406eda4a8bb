import { Effect } from "effect"
import { StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { resultsFolder } from "../../lib/disk/result-disk.ts"
import { Environments } from "../../lib/environment/Environments.ts"
import { sweepRepositories, temporariesOf } from "../../lib/seeding/model/cache.ts"
import { leaveMemoryStore, sweepVms } from "../../lib/vm/model/sweep.ts"
import { sweepTemplates } from "../../lib/vm/model/templates.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"
import { Paths } from "../../system/files/Paths.ts"
import { sweepTemporaries } from "../../system/files/temporary.ts"
import { packageRoot } from "../../system/processes/native.ts"
import { sweepWorkspaces } from "../../workspace/life/engine/sweep.ts"
import { tendDisk } from "./disk/budget.ts"
import { sweepCompiledCode } from "./disk/compiled-code.ts"
import { diskUsage } from "./disk/usage.ts"

/** Files of one kind that nothing needs, as one entry. */
const halfMade = (what: string, freedBytes: number) => freedBytes > 0 ? [{ kind: "build", what, freedBytes }] : []

const swept = (parent: string) =>
  sweepTemporaries(parent).pipe(
    Effect.catch((cause) => new StateDirectoryUnusable({ path: parent, detail: cause.message }))
  )

/** Sweeps the leftovers of crashes. VMs come first, so that no file is removed under a running one. */
export const gc = Effect.gen(function*() {
  const { cacheDir, stateDir } = yield* Paths
  const vms = yield* sweepVms
  const workspaces = yield* sweepWorkspaces
  const all = [
    ...vms,
    ...(yield* leaveMemoryStore).map((what) => ({ kind: "folder", what, freedBytes: 0 })),
    ...workspaces.swept,
    ...yield* sweepTemplates,
    ...halfMade("half-made images and kernels", yield* (yield* Environments).sweep),
    ...halfMade("half-made seeds", yield* swept(temporariesOf(cacheDir))),
    ...halfMade("results of ended microVMs", yield* swept(resultsFolder(stateDir))),
    ...halfMade(
      "compiled code of other builds of pyro",
      yield* Effect.mapError(sweepCompiledCode(`${cacheDir}/code`, `${packageRoot()}/dist`), toHostErrorOf(cacheDir))
    ),
    ...halfMade("half-fetched repositories", yield* sweepRepositories(cacheDir)),
    ...yield* tendDisk
  ]
  // Last: a workspace that cannot be swept must not keep the rest.
  for (const failure of workspaces.stay) return yield* failure
  return {
    removed: all.map(({ kind, what }) => ({ kind, what })),
    freedBytes: all.reduce((sum, { freedBytes }) => sum + freedBytes, 0),
    disk: yield* diskUsage
  }
})
