import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { connect } from "../../src/sdk/connect.ts"
import { installation } from "../support/installation.ts"

describe("a program that connects to a state directory of its own", () => {
  const pyro = installation("pyro-connect-")
  afterAll(pyro.close)

  it("starts a daemon there, which a program that starts none, and the command line, then find", async () => {
    const none = connect({ stateDir: pyro.state, startDaemon: false })
    const before = await none.list().then(() => undefined, (failure: unknown) => failure)
    assert.deepInclude(before, { code: "daemon_unavailable" })
    await none.close()
    const own = connect({ stateDir: pyro.state, startTimeoutMs: 60_000 })
    assert.deepStrictEqual(await own.list(), [])
    const other = connect({ stateDir: path.relative(process.cwd(), pyro.state), startDaemon: false })
    assert.deepStrictEqual(await other.list(), [])
    assert.isTrue(fs.existsSync(path.join(pyro.state, "daemon/socket")))
    assert.isTrue((await pyro.json<{ readonly running: boolean }>(["daemon", "status"])).running)
    await other.close()
    await own.close()
  }, 120_000)

  it("with a wrong option, each call says which", async () => {
    const wrong = connect({ stateDir: pyro.state, driver: "xen" as "qemu" })
    for (let time = 0; time < 2; time++) {
      const failure = await wrong.list().then(() => undefined, (cause: unknown) => cause)
      assert.deepInclude(failure, { code: "invalid_request", field: "driver" })
    }
  })
})
