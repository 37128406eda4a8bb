import * as path from "node:path"
import { afterAll } from "vitest"
import { runCases } from "../cli/run-cases.ts"
import { pyroPath, temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-guest-cli-")
afterAll(remove)

runCases("pyro with real microVMs", { entry: pyroPath, env: { PYRO_STATE_DIR: path.join(folder, "state") } })
