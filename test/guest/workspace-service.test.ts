import { spawn } from "node:child_process"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { pyroPath, until } from "../support/pyro-cli.ts"

interface Service {
  readonly name: string
  readonly state: string
  readonly detail?: string
  readonly restarts: number
  readonly status?: number
  readonly ports?: ReadonlyArray<{ readonly guest_port: number; readonly host_port: number }>
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

describe("services of a workspace", { concurrent: false }, () => {
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
    assert.deepInclude(again, { code: "service_running", service: "web", state: "ready" })
    assert.strictEqual((await service<Service>("stop", "web")).state, "stopped")
    assert.deepStrictEqual(
      (await service<{ readonly services: ReadonlyArray<Service> }>("list")).services.map(({ state }) => state),
      ["stopped"]
    )
    assert.strictEqual(await sh("w", "pgrep -f '[h]ttp.server' || echo none"), "none")
  })

  it("service start fails with the end of the log of a service that ends at once", async () => {
    const failed = await failure(
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
    assert.deepInclude(failed, { code: "service_failed", service: "dies", output_tail: "no database" })
    assert.match(failed.message, /status 3/)
    assert.strictEqual(await stateOf("dies"), "failed")
    assert.strictEqual((await failure(["workspace", "service", "status", "w", "die"])).code, "service_not_found")
  })

  it("nothing stays of a service that puts itself into the background", async () => {
    const daemon = "setsid sh -c 'setsid sleep 1006 &' > /dev/null 2>&1 < /dev/null; exit 0"
    const start = ["workspace", "service", "start", "w", "daemon", "--ready-tcp", "8001", "--", "sh", "-c", daemon]
    const failed = await failure(start)
    assert.deepInclude(failed, { code: "service_failed", service: "daemon" })
    assert.match(failed.message, /foreground/)
    assert.strictEqual(await stateOf("daemon"), "exited")
    assert.strictEqual(await sh("w", "pgrep -f '[s]leep 1006' || echo none"), "none")
  })

  it("Ctrl-C during service start stops the service", async () => {
    const args = ["workspace", "service", "start", "w", "slow", "--ready-tcp", "8001", "--", "sleep", "1007"]
    const child = spawn(process.execPath, [pyroPath, ...args], {
      env: { ...process.env, ...pyro.env },
      stdio: ["ignore", "ignore", "pipe"]
    })
    let told = ""
    child.stderr.setEncoding("utf8").on("data", (text: string) => told += text)
    const ended = new Promise((resolve) => child.once("close", resolve))
    await until("the wait", () => told.includes("waiting for slow to be ready (port 8001), "))
    child.kill("SIGINT")
    await ended
    assert.include(told, "stopping slow, because its start was interrupted\n")
    assert.include(told, "slow is stopped. Its log: pyro service logs w slow\n")
    assert.strictEqual(await stateOf("slow"), "stopped")
    assert.strictEqual(await sh("w", "pgrep -f '[s]leep 1007' || echo none"), "none")
  })

  it("ten services go on in a fork, each with its log, and with published ports of their own", async () => {
    const beat = "echo up >> /run/ups; touch /run/up-$0; while true; do echo tick; sleep 0.3; done"
    const names = Array.from({ length: 9 }, (_, n) => `beat-${n}`)
    await Promise.all([
      start("web", ["--ready-http", "http://localhost:8000/", "--publish", "8000"], "exec python3 -m http.server 8000"),
      ...names.map((name) =>
        service<Service>("start", name, "--ready-file", `/run/up-${name}`, "--", "sh", "-c", beat, name)
      )
    ])
    await json(["workspace", "fork", "w", "--name", "f"])
    const portOf = async (workspace: string) => {
      const { ports } = await json<Service>(["workspace", "service", "status", workspace, "web"])
      assert.lengthOf(ports!, 1)
      return ports![0]!.host_port
    }
    const [source, fork] = [await portOf("w"), await portOf("f")]
    assert.notStrictEqual(fork, source)
    for (const port of [source, fork]) assert.strictEqual((await fetch(`http://127.0.0.1:${port}/`)).status, 200)
    const { services } = await json<{ readonly services: ReadonlyArray<Service> }>([
      "workspace",
      "service",
      "list",
      "f"
    ])
    const ready = services.filter(({ state }) => state === "ready").map(({ name }) => name)
    assert.sameMembers(ready, ["web", ...names])
    assert.strictEqual(await sh("f", "wc -l < /run/ups"), "9")
    const inFork = ["workspace", "service", "logs", "f", "beat-3"]
    const { next_cursor, output } = await json<Page>(inFork)
    assert.match(output, /^(tick\n)+$/)
    await until("more output", async () => (await json<Page>([...inFork, "--cursor", `${next_cursor}`])).output !== "")
    await json(["workspace", "service", "stop", "f", "web"])
    await until("the end of the port", () => fetch(`http://127.0.0.1:${fork}/`).then(() => false, () => true))
    assert.strictEqual((await fetch(`http://127.0.0.1:${source}/`)).status, 200)
    assert.strictEqual(await stateOf("web"), "ready")
    const { entries } = await json<{
      readonly entries: ReadonlyArray<
        {
          readonly at: string
          readonly key: string
          readonly text: string
          readonly kind: string
          readonly details: object
        }
      >
    }>(["workspace", "timeline", "f", "--only", "events"])
    const details = { guest_port: 8000, host_port: fork, service: "web" }
    assert.deepStrictEqual(
      entries.filter(({ kind }) => kind.startsWith("port_")).map(({ at: _, key: _key, text: _text, ...one }) => one),
      [
        { kind: "port_published", details },
        { kind: "port_unpublished", details }
      ]
    )
  })
})
