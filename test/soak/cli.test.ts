import * as path from "node:path"
import { afterAll } from "vitest"
import { runCases } from "../cli/run-cases.ts"
import { pyroPath, temporaryFolder } from "../support/pyro-cli.ts"

// test/cli/run.test.ts has these cases over the tests' own driver, and test/guest/run.test.ts one of each kind with microVMs, in `npm test`.
const { folder, remove } = temporaryFolder("pyro-soak-cli-")
afterAll(remove)

runCases("pyro with real microVMs", { entry: pyroPath, env: { PYRO_STATE_DIR: path.join(folder, "state") } })
