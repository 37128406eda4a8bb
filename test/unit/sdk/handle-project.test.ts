import { Layer } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { StateDirectory } from "../../../src/sdk/model/state-directory.ts"
import { connectTo } from "../../../src/sdk/promises/connect-to.ts"
import { ProjectNotAccepted } from "../../../src/sdk/promises/errors.ts"
import type { UpOptions } from "../../../src/sdk/promises/project.ts"
import { fakeHost } from "../project/fake-pyro.ts"
import { folderWith } from "../project/folder.ts"

const FILE = "secrets = [\"KEY\"]\nsetup = [\"first\"]\n[network]\nallow_hosts = [\"npm\"]\n"
const ASKS = ["connections to npm", "the value of the variable KEY, for commands in the workspace"]

/** A client of a host with this project, and what was asked of the host since the last look. */
const project = (text = FILE) => {
  const host = fakeHost()
  const directory = folderWith({ "pyro.toml": text })
  const pyro = connectTo(Layer.merge(host.layer, Layer.succeed(StateDirectory, host.state)))
  return { ...host, pyro, directory, since: () => host.calls.splice(0) }
}

const refusedBy = (work: Promise<unknown>) => work.then(() => assert.fail("it was granted"), (error: unknown) => error)

/** What a refused file asks for. */
const asksOf = async (work: Promise<unknown>) => {
  const error = await refusedBy(work)
  return error instanceof ProjectNotAccepted ? error.asks : error
}

describe("a project in a program", () => {
  it("grants nothing by itself: the error has what the file asks for", async () => {
    const { directory, pyro, since } = project()
    const secrets = { KEY: "a-value-of-a-secret" }
    const asked: ReadonlyArray<UpOptions> = [{}, { consent: [] }, { consent: [ASKS[0]!] }]
    // Programs without types.
    const odd = [false, "yes", 1, ASKS.join()].map((consent) => ({ consent }) as unknown as UpOptions)
    for (const options of [...asked, ...odd]) {
      assert.deepStrictEqual(await asksOf(pyro.up({ directory, secrets, ...options })), ASKS, JSON.stringify(options))
    }
    assert.deepStrictEqual(since(), [])
    await pyro.close()
  })

  it("grants the phrases that it names, which are remembered, and not those of a changed file", async () => {
    const { directory, pyro, since } = project()
    const secrets = { KEY: "a-value-of-a-secret" }
    const lines: Array<string> = []
    const ws = await pyro.up({ directory, secrets, consent: ASKS, onLine: (line) => lines.push(line) })
    assert.deepStrictEqual(since(), ["create debian:12", "exec first"])
    assert.include(lines.join("\n"), "first")
    assert.strictEqual((await pyro.up({ directory, secrets })).id, ws.id)
    fs.writeFileSync(path.join(directory, "pyro.toml"), FILE.replace("\"npm\"", "\"npm\", \"evil.example\""))
    assert.include(await asksOf(pyro.up({ directory, secrets, consent: ASKS })), "connections to evil.example")
    await pyro.up({ directory, secrets, consent: true })
    await pyro.close()
  })

  it("has secrets of its options in place of its environment, and names missing ones", async () => {
    const { directory, payloads, pyro } = project()
    const error = await refusedBy(pyro.up({ directory, consent: true, secrets: {} }))
    assert.propertyVal(error, "code", "project_secret_missing")
    await pyro.up({ directory, consent: true, secrets: { KEY: "a-value-of-a-secret" } })
    assert.property(payloads.find(([name]) => name === "create")![1]["secrets"], "KEY")
    await pyro.close()
  })

  it("is paused and deleted, and says what only a new workspace has", async () => {
    const { directory, pyro, since } = project("memory = 256\n")
    assert.strictEqual(await pyro.down({ directory }), "none")
    await pyro.up({ directory })
    assert.strictEqual(await pyro.down({ directory }), "paused")
    assert.strictEqual(await pyro.down({ directory }), "unchanged")
    fs.writeFileSync(path.join(directory, "pyro.toml"), "memory = 512\n")
    const lines: Array<string> = []
    await pyro.up({ directory, onLine: (line) => lines.push(line) })
    assert.include(lines, "memory: 256 -> 512 needs another workspace: recreate")
    since()
    await pyro.up({ directory, recreate: true })
    assert.deepStrictEqual(since(), ["delete", "create debian:12"])
    assert.strictEqual(await pyro.down({ directory, delete: true }), "deleted")
    await pyro.close()
  })
})
