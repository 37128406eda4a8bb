import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { buildFake } from "../cli/build-fake.ts"
import { envelope } from "../support/mcp/mcp-messages.ts"
import { until } from "../support/pyro-cli.ts"
import { projectServers } from "./project-servers.ts"
import type { rawClient } from "./raw-client.ts"

const binary = buildFake()
const { serve } = projectServers(binary)
const record = path.join(binary.folder, "state/daemon/daemon.json")
const CHANGED = "notifications/resources/list_changed"

const listed = async (client: ReturnType<typeof rawClient>) => {
  const { error, result } = await client.request("resources/list")
  assert.isUndefined(error)
  return result!["resources"] as ReadonlyArray<object>
}

describe("the list of resources", { concurrent: false }, () => {
  it("the list is empty and starts no daemon if none runs", async () => {
    const client = serve([])
    const { result } = await client.initialize()
    assert.deepInclude(result!["capabilities"], { resources: { listChanged: true } })
    assert.deepStrictEqual(await listed(client), [])
    assert.isFalse(fs.existsSync(record))
    await client.close()
    assert.strictEqual(client.stderr(), "")
  })

  it("the list has the diff of each workspace of the project, and the client hears of a new one", async () => {
    const client = serve([])
    await client.initialize()
    const id = await client.create({ name: "of-one" })
    await until("the client hears", () => client.messages.some(({ method }) => method === CHANGED))
    assert.deepStrictEqual(await listed(client), [{
      uri: `pyro://workspaces/${id}/diff`,
      name: "Diff of of-one",
      description: `Changes of workspace ${id} since create (running, debian:12)`,
      mimeType: "text/x-diff"
    }])
    const other = serve([], fs.mkdtempSync(path.join(binary.folder, "other-")))
    await other.initialize()
    assert.deepStrictEqual(await listed(other), [])
    const all = serve(["--all-workspaces"], binary.folder)
    await all.initialize()
    assert.lengthOf(await listed(all), 1)
    const modern = serve([])
    const { result } = await modern.request("resources/list", envelope())
    assert.lengthOf(result!["resources"] as ReadonlyArray<unknown>, 1)
    for (const one of [client, other, all, modern]) await one.close()
  })

  it("a failed call changes no list", async () => {
    const client = serve([])
    await client.initialize()
    assert.isTrue((await client.call("workspace_create", { name: "of-one" })).isError)
    await client.request("ping")
    assert.isFalse(client.messages.some(({ method }) => method === CHANGED))
    await client.close()
  })

  it("the server answers each of five hundred lists that a client asks for at once", async () => {
    const client = serve([])
    await client.initialize()
    const answers = await Promise.all(Array.from({ length: 500 }, () => listed(client)))
    assert.deepStrictEqual(new Set(answers.map(({ length }) => length)), new Set([1]))
    await client.close()
    assert.strictEqual(client.stderr(), "")
  })

  it("the list is empty again when the daemon has ended, and starts none", async () => {
    const client = serve([])
    await client.initialize()
    assert.lengthOf(await listed(client), 1)
    execFileSync(process.execPath, [binary.entry, "daemon", "stop"], { env: { ...process.env, ...binary.env } })
    assert.deepStrictEqual(await listed(client), [])
    assert.isFalse(fs.existsSync(record))
    await client.close()
  })
})
