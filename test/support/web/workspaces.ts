import { Effect, Exit, Layer, References, Scope } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { mapCalls, type PyroService } from "../../../src/contract/rows/Pyro.ts"
import { ownWorkspaces } from "../../../src/daemon/app/workspaces.ts"
import { workspaceCall } from "../../../src/daemon/calls/list.ts"
import { isOfWorkspaces } from "../../../src/daemon/calls/workspaces/work.ts"
import { localAgentServices } from "../lifecycle/local-agent-services.ts"

/** Workspaces in this process whose guests are local agents, and what of the host the page shows beside them. */
export const localWorkspaces = async (folder: string, program: string) => {
  process.env["PYRO_STATE_DIR"] = path.join(folder, "state")
  process.env["PYRO_CACHE_DIR"] = path.join(folder, "cache")
  process.env["PYRO_POOL_MEMBERS"] = "0"
  const reports = path.join(folder, "reports")
  fs.mkdirSync(reports)
  const scope = Effect.runSync(Scope.make())
  const services = Layer.merge(
    localAgentServices({ program, reports }),
    Layer.succeed(References.MinimumLogLevel, "None")
  )
  const context = await Effect.runPromise(Layer.buildWithScope(services, scope))
  const { workspaces } = await Effect.runPromise(Effect.provide(ownWorkspaces(scope), context))
  const fakes: Readonly<Record<string, unknown>> = {
    "env.list": {
      environments: [{
        name: "debian:12",
        description: "Debian 12",
        state: "ready",
        origin: "catalogue",
        sizeBytes: 1_000
      }]
    },
    "daemon.status": {
      running: true,
      logPath: "/log",
      vms: [],
      disk: {
        usedBytes: 5_000,
        evictableBytes: 0,
        freeBytes: 9_000,
        uses: [{ what: "workspaces", bytes: 5_000 }],
        workspaces: []
      }
    }
  }
  const pyro: PyroService = mapCalls((row) =>
    isOfWorkspaces(row)
      ? workspaceCall(row, Effect.succeed(workspaces.house))
      : () => row.name in fakes ? Effect.succeed(fakes[row.name]) : Effect.die(`${row.name} is no part of this test`)
  )
  return {
    pyro,
    close: async () => {
      await Effect.runPromise(pyro.workspace.delete({ workspaces: [], all: true }))
      await Effect.runPromise(Scope.close(scope, Exit.void))
      return fs.readdirSync(reports).map((name) => fs.readFileSync(path.join(reports, name), "utf8"))
    }
  }
}
