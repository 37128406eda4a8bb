import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

interface Service {
  readonly name: string
  readonly state: string
  readonly detail?: string
  readonly restarts: number
  readonly status?: number
}

interface Page {
  readonly state: string
  readonly output: string
  readonly next_cursor: number
}

const pyro = installation("pyro-service-")
const { create, failure, json, sh } = pyro
afterAll(pyro.close)

const service = <A>(verb: string, ...args: ReadonlyArray<string>) =>
  json<A>(["workspace", "service", verb, "w", ...args])
const start = (name: string, options: ReadonlyArray<string>, script: string) =>
  service<Service>("start", name, ...options, "--", "sh", "-ec", script)
const stateOf = async (name: string) => (await service<Service>("status", name)).state

describe("services of a workspace", () => {
  beforeAll(() => create(["--name", "w"]))

  it("service start returns when the port accepts, and stop ends the server", async () => {
    const { state } = await start("web", ["--ready-tcp", "8000"], "exec python3 -u -m http.server 8000")
    assert.strictEqual(state, "ready")
    assert.strictEqual(
      await sh("w", "python3 -c 'import urllib.request as u; print(u.urlopen(\"http://localhost:8000\").status)'"),
      "200"
    )
    const { output, state: logged } = await service<Page>("logs", "web", "--tail-lines", "1")
    assert.strictEqual(logged, "ready")
    assert.match(output, /"GET \/ HTTP\/1\.1" 200/)
    const again = await failure(["workspace", "service", "start", "w", "web", "--", "true"])
    assert.strictEqual(again.code, "service_running")
    assert.include(again.message, "pyro workspace service stop w web")
    assert.strictEqual((await service<Service>("stop", "web")).state, "stopped")
    assert.deepStrictEqual(
      (await service<{ readonly services: ReadonlyArray<Service> }>("list")).services.map(({ state }) => state),
      ["stopped"]
    )
    assert.strictEqual(await sh("w", "pgrep -f '[h]ttp.server' || echo none"), "none")
  })

  it("service start fails with the end of the log of a service that ends at once", async () => {
    const { code, message } = await failure(
      [
        "workspace",
        "service",
        "start",
        "w",
        "dies",
        "--ready-tcp",
        "8001",
        "--",
        "sh",
        "-c",
        "echo no database; exit 3"
      ]
    )
    assert.strictEqual(code, "service_failed")
    assert.match(message, /it ended with status 3 before it was ready.*\nno database\n/s)
    assert.strictEqual(await stateOf("dies"), "failed")
    assert.strictEqual((await failure(["workspace", "service", "status", "w", "die"])).code, "service_not_found")
  })
})
