import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "vitest"
import { temporaryFolder } from "../pyro-cli.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { workspacesClient } from "./workspaces-client.ts"

/** Local agents of a sanitizer build: a report of the sanitizer fails the suite. */
export const localAgent = (
  program: string,
  { hasMemoryPoints = false }: { readonly hasMemoryPoints?: boolean } = {}
): LifecycleDriver => {
  const { folder, remove } = temporaryFolder("pyro-lifecycle-")
  const reports = path.join(folder, "reports")
  return {
    capturesPrograms: false,
    // The kernel lets only root steer.
    triesNetwork: process.getuid!() === 0,
    open: (options) => {
      fs.mkdirSync(reports)
      const env = { PYRO_CACHE_DIR: path.join(folder, "cache") }
      const args = ["local-agent", program, reports, ...(hasMemoryPoints ? ["memory-points"] : [])]
      return workspacesClient({ folder, args, env, ...options })
    },
    close: async (client) => {
      await client.call("delete", { workspaces: [], all: true })
      await client.close()
      const said = fs.readdirSync(reports).map((name) => fs.readFileSync(path.join(reports, name), "utf8"))
      remove()
      assert.deepStrictEqual(said, [], "a sanitizer reported")
    }
  }
}
