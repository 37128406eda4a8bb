import { execFileSync } from "node:child_process"
import { mkdtempSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import process from "node:process"
import { connect } from "pyro/promises"
import { afterAll, beforeAll } from "vitest"
import { folder } from "./installed.ts"

/** Small workspaces, so that many fit. */
export const small = { environment: "debian:12", memoryMib: 256, diskMib: 512 }

/** Gives the tests of a file a pyro of their own, which goes with its workspaces at their end. */
export const ownPyro = (): void => {
  let state = ""
  const before = process.env["PYRO_STATE_DIR"]
  beforeAll(() => {
    state = mkdtempSync(join(tmpdir(), "pyro-frameworks-"))
    process.env["PYRO_STATE_DIR"] = state
  })
  afterAll(async () => {
    // A test that failed has left its workspaces, whose microVMs would go on without their files.
    {
      await using client = connect()
      for (const workspace of await client.list()) await workspace.delete()
    }
    const pyro = join(folder, "node_modules/pyro/dist/pyro.js")
    execFileSync(process.execPath, [pyro, "daemon", "stop"], { stdio: "ignore" })
    if (before === undefined) delete process.env["PYRO_STATE_DIR"]
    else process.env["PYRO_STATE_DIR"] = before
    rmSync(state, { recursive: true, force: true })
  })
}
