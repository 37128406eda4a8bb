import * as fs from "node:fs"
import * as path from "node:path"
import { assert } from "vitest"
import { lifecycleSuite } from "../support/lifecycle/lifecycle-suite.ts"
import { workspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"
import { sanitizedBuild } from "./agent.ts"

const { folder, remove } = temporaryFolder("pyro-lifecycle-")
const reports = path.join(folder, "reports")

lifecycleSuite("a local agent", {
  capturesPrograms: false,
  open: () => {
    fs.mkdirSync(reports)
    return workspacesClient({
      folder,
      args: ["local-agent", sanitizedBuild, reports],
      env: { PYRO_CACHE_DIR: path.join(folder, "cache") }
    })
  },
  close: async (client) => {
    await client.close()
    const said = fs.readdirSync(reports).map((name) => fs.readFileSync(path.join(reports, name), "utf8"))
    remove()
    assert.deepStrictEqual(said, [], "a sanitizer reported")
  }
})
