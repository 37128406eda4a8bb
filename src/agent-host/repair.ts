import { Effect } from "effect"
import { type HostFileUnusable, InvalidRequest } from "../contract/errors/errors.ts"
import { processEnvironment } from "../system/settings/config.ts"
import type { Outcome } from "./administer.ts"
import { described, write } from "./connect/apply.ts"
import type { DoctorOptions } from "./connect/check.ts"
import { entryOf, meantServer, selectionOf } from "./connect/entry-of.ts"
import { plan } from "./connect/plan.ts"
import { toolsOf } from "./doctor/tools-of.ts"
import { agentHosts } from "./hosts/hosts.ts"
import { findProgram } from "./surroundings.ts"

/**
 * Rewrites an entry that is not as pyro writes it, and removes other entries that are pyro as well. The options of the server, its
 * variables and the approvals stay.
 */
export const repair = (
  { cwd, dryRun, host: name, own, place, scope }: DoctorOptions & Pick<Outcome, "scope"> & { readonly dryRun: boolean }
): Effect.Effect<Outcome, InvalidRequest | HostFileUnusable> =>
  Effect.gen(function*() {
    const host = agentHosts[name]
    const found = yield* entryOf(host, scope, place)
    if (found === undefined) {
      return yield* new InvalidRequest({
        field: "<host>",
        detail: `${host.title} has no entry for pyro in this scope; add it: pyro host connect ${name}`
      })
    }
    const usable = (command: string) => findProgram(command, processEnvironment()["PATH"], cwd) !== undefined
    const server = meantServer(host, found, usable, own)
    const planned = yield* plan(
      { host, scope, place, approve: "safe", tools: toolsOf(selectionOf(server)) },
      server,
      { keepApprovals: true, stale: found.stale }
    )
    const files = dryRun
      ? planned.files.map(described)
      : yield* write(name, { scope, state: place.state }, planned.files)
    return { host: name, scope, config: found.path, files, notes: [] }
  })
