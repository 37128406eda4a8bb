import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { counter } from "../support/workspace/counter.ts"

const pyro = installation("pyro-saved-")
const { call, create, failure, json, sh, state } = pyro
afterAll(pyro.close)

interface Saved {
  readonly name: string
  readonly kind: string
  readonly from?: string
  readonly running_commands: number
}

/** The next number of a workspace's server. */
const count = (workspace: string) =>
  sh(workspace, `python3 -c 'import urllib.request as u; print(u.urlopen("http://127.0.0.1:8000").read().decode())'`)

const from = (snapshot: string, name: string, ...options: ReadonlyArray<string>) =>
  json<object>(["create", "--from-snapshot", snapshot, "--name", name, ...options])
const saved = async () => (await json<{ readonly saved: ReadonlyArray<Saved> }>(["saved", "list"])).saved

describe("a saved snapshot", { concurrent: false }, () => {
  it("a warm server is saved, outlives its workspace, and goes on in each start", async () => {
    await create(["--name", "origin"])
    await sh("origin", "echo installed > dependency")
    await json(["service", "start", "origin", "web", "--ready-tcp", "8000", "--", "python3", "-c", counter])
    assert.strictEqual(await count("origin"), "1")
    await json(["snapshot", "save", "origin", "warm"])
    assert.strictEqual(await count("origin"), "2")
    await call(["delete", "origin"])
    const [warm] = await saved()
    assert.deepInclude(warm, { name: "warm", kind: "memory", from: "origin" })
    await from("warm", "one")
    await from("warm", "two")
    for (const name of ["one", "two"]) {
      assert.strictEqual(await count(name), "2", name)
      assert.strictEqual(await sh(name, "cat dependency; hostname"), `installed\n${name}`)
      const { state } = await json<{ readonly state: string }>(["service", "status", name, "web"])
      assert.strictEqual(state, "ready")
    }
    assert.strictEqual(await count("one"), "3")
    assert.strictEqual(await count("two"), "3")
    await call(["delete", "two"])
  })

  it("an exported one is imported under another name, and its server goes on as a command", async () => {
    const file = path.join(path.dirname(state), "warm.pyro")
    const { sha256 } = await json<{ readonly sha256: string }>(["saved", "export", "warm", "--output", file])
    await json(["saved", "delete", "warm"])
    await json(["saved", "import", file, "--name", "moved", "--expect", sha256])
    await from("moved", "three")
    assert.strictEqual(await count("three"), "2")
    assert.strictEqual(await sh("three", "cat dependency"), "installed")
    const { services } = await json<{ readonly services: ReadonlyArray<object> }>(["service", "list", "three"])
    assert.deepStrictEqual(services, [])
    const { running_commands } = await json<{ readonly running_commands: number }>(["status", "three"])
    assert.strictEqual(running_commands, 1)
    fs.rmSync(file)
  })

  it("its disk starts without the server, and an absent snapshot is said", async () => {
    await from("moved", "files", "--disk-only")
    assert.strictEqual(await sh("files", "cat dependency; pgrep python3 || echo none"), "installed\nnone")
    assert.strictEqual((await failure(["create", "--from-snapshot", "moves"])).code, "saved_not_found")
    const contradiction = await failure(["create", "--from-snapshot", "moved", "--mem-mib", "4096"])
    assert.deepInclude(contradiction, { code: "invalid_request", field: "--mem-mib" })
    assert.strictEqual((await call(["delete", "nobody", "--if-exists"])).code, 0)
  })
})
