import { Effect } from "effect"
import { Environments } from "../environment/Environments.ts"
import { sweepVms } from "../vm/sweep.ts"
import { sweepTemplates } from "../vm/templates.ts"

/** Sweeps what crashes left behind: VMs first, so that nothing is removed under a living user. */
export const gc = Effect.gen(function*() {
  const vms = yield* sweepVms
  const templates = yield* sweepTemplates
  const buildBytes = yield* (yield* Environments).sweep
  const builds = buildBytes > 0 ? [{ kind: "build", what: "half-made images and kernels", freedBytes: buildBytes }] : []
  const swept = [...vms, ...templates, ...builds]
  return {
    swept: swept.map(({ kind, what }) => ({ kind, what })),
    freedBytes: swept.reduce((sum, { freedBytes }) => sum + freedBytes, 0)
  }
})
