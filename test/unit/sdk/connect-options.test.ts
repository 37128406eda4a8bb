import { Effect, Layer, Result, Stream } from "effect"
import { spawn } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { Pyro } from "../../../src/contract/rows/Pyro.ts"
import type { CreatePayload } from "../../../src/contract/rows/workspace-lifecycle.ts"
import { layerWithDriver, readConnectOptions } from "../../../src/sdk/connect-options.ts"
import { ensureDaemon } from "../../../src/sdk/model/start-daemon.ts"
import { connectTo } from "../../../src/sdk/promises/connect-to.ts"
import { Paths } from "../../../src/system/files/Paths.ts"
import { isAlive, processIdentity } from "../../../src/system/processes/identity.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { temporaryFolder } from "../../support/pyro-cli.ts"
import { handleService, infoOf } from "./handle-service.ts"

describe("options of connect", () => {
  const read = (options: object) => Effect.runPromise(Effect.result(readConnectOptions(options)))

  it("a relative state directory is that of this program's directory, and the rest is as given", async () => {
    const options = { stateDir: "state", startDaemon: false, startTimeoutMs: 500, driver: "qemu" } as const
    assert.deepStrictEqual(await read(options), Result.succeed({ ...options, stateDir: path.resolve("state") }))
    assert.deepStrictEqual(await read({}), Result.succeed({}))
  })

  it.each([
    ["driver", { driver: "xen" }],
    ["stateDir", { stateDir: "" }],
    ["startTimeoutMs", { startTimeoutMs: 0 }],
    ["startDaemon", { startDaemon: "no" }],
    ["socket", { socket: "/run/pyro" }]
  ])("a wrong %s is refused", async (field, options) => {
    const refused = await read(options)
    assert.isTrue(Result.isFailure(refused))
    assert.deepInclude(Result.getOrThrow(Result.flip(refused)), { _tag: "InvalidRequest", field })
  })

  it("a driver is that of workspaces which name none, and start from no snapshot", async () => {
    const drivers: Array<CreatePayload["driver"]> = []
    const { layer } = handleService(undefined, {
      create: ({ driver }) =>
        Stream.sync(() => {
          drivers.push(driver)
          return { _tag: "Ready" as const, workspace: infoOf("ws-1") }
        })
    })
    const pyro = connectTo(layerWithDriver(layer, "firecracker"))
    await pyro.create()
    await pyro.create({ driver: "qemu" })
    await pyro.create({ fromSnapshot: "warm" })
    await connectTo(layerWithDriver(layer, undefined)).create()
    assert.deepStrictEqual(drivers, ["firecracker", "qemu", undefined, undefined])
  })

  it("a driver is also that of a run", async () => {
    const drivers: Array<unknown> = []
    const layer = Layer.succeed(Pyro, {
      ...unfakedPyro,
      run: ({ driver }) => {
        drivers.push(driver)
        return Stream.empty
      }
    })
    const service = await Effect.runPromise(Effect.provide(Pyro, layerWithDriver(layer, "firecracker")))
    await Effect.runPromise(Stream.runDrain(service.run({} as Parameters<typeof service.run>[0])))
    assert.deepStrictEqual(drivers, ["firecracker"])
  })
})

describe("a client that starts no daemon", () => {
  const { folder, remove } = temporaryFolder("pyro-only-running-")
  afterAll(remove)
  const stateDir = path.join(folder, "state")
  const marker = path.join(folder, "started")
  const found = () =>
    ensureDaemon({ version: "1 (own)", command: ["touch", marker], onlyRunning: true }).pipe(
      Effect.provide(Paths.layerIn(stateDir)),
      Effect.flip,
      Effect.runPromise
    )

  it("fails where none runs, names the directory, and starts nothing", async () => {
    const failure = await found()
    assert.strictEqual(failure._tag, "DaemonUnavailable")
    assert.include(failure.message, `no daemon runs for ${stateDir}`)
    assert.isFalse(fs.existsSync(marker))
    assert.deepStrictEqual(fs.readdirSync(path.join(stateDir, "daemon")), [])
  })

  it("fails where one of another version runs, and leaves it alone", async () => {
    const other = spawn("sleep", ["600"], { stdio: "ignore" })
    try {
      const identity = processIdentity(other.pid!)!
      fs.writeFileSync(
        path.join(stateDir, "daemon/daemon.json"),
        JSON.stringify({ process: identity, version: "0 (other)" })
      )
      assert.deepInclude(await found(), { _tag: "DaemonMismatch", running: "0 (other)", own: "1 (own)" })
      assert.isTrue(isAlive(identity))
    } finally {
      other.kill("SIGKILL")
    }
  })
})
