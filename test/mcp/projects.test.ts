import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { buildFake } from "../cli/build-fake.ts"
import { run } from "../cli/cli-process.ts"
import { rawClient } from "./raw-client.ts"

const binary = buildFake()
const opened: Array<ReturnType<typeof rawClient>> = []
const directory = (name: string) => path.join(binary.folder, name)

/** A client of a server that is bound to a directory. */
const boundTo = async (name: string, ...args: ReadonlyArray<string>) => {
  const client = rawClient(
    [process.execPath, binary.entry, "mcp", "serve", "--project-path", directory(name), ...args],
    { env: binary.env, cwd: binary.folder }
  )
  opened.push(client)
  await client.initialize()
  return client
}
type Client = Awaited<ReturnType<typeof boundTo>>

const listed = async (client: Client) => {
  const { structuredContent } = await client.call("workspace_list", {})
  return (structuredContent!["workspaces"] as ReadonlyArray<{ readonly id: string }>).map(({ id }) => id)
}

beforeAll(() => {
  for (const name of ["one", "two"]) fs.mkdirSync(directory(name))
})
afterAll(() => {
  for (const { child } of opened) child.kill("SIGKILL")
})

describe("the workspaces of a project", () => {
  it("a server hides another project's workspaces in its list and from every call", async () => {
    const [one, two] = [await boundTo("one"), await boundTo("two")]
    const id = await one.create({ name: "of-one" })
    assert.deepStrictEqual(await listed(one), [id])
    assert.deepStrictEqual(await listed(two), [])
    for (const named of [id, "of-one"]) {
      const calls: ReadonlyArray<readonly [string, object]> = [
        ["workspace_status", { workspace_id: named }],
        ["workspace_exec", { workspace_id: named, command: "true" }],
        ["workspace_file_write", { workspace_id: named, path: "x", text: "" }],
        ["workspace_export", { workspace_id: named, path: "x", output_path: "x" }],
        ["workspace_delete", { workspace_ids: [named] }]
      ]
      for (const [tool, args] of calls) {
        const { content: [told], isError } = await two.call(tool, args)
        assert.isTrue(isError, tool)
        assert.match(told!.text, /^workspace_not_found: [^\n]*\nhint: .*other projects are hidden$/, tool)
        // Its own server has it.
        if (tool !== "workspace_delete") assert.isUndefined((await one.call(tool, args)).isError, tool)
      }
    }
    assert.deepStrictEqual(await listed(one), [id])
  })

  it("--all-workspaces and the command line show workspaces of every project", async () => {
    const [one, all] = [await boundTo("one"), await boundTo("two", "--all-workspaces")]
    const [ofOne, ofTwo] = [await one.create(), await all.create()]
    assert.includeMembers(await listed(all), [ofOne, ofTwo])
    assert.isUndefined((await all.call("workspace_status", { workspace_id: ofOne })).isError)
    // What it makes is of its own project all the same.
    assert.notInclude(await listed(one), ofTwo)
    const { stdout } = await run(binary, ["workspace", "list", "--json"])
    assert.include(stdout.toString(), ofOne)
    assert.include(stdout.toString(), ofTwo)
  })

  it("a project includes the workspaces that a person seeded from it", async () => {
    const one = await boundTo("one")
    const { stdout } = await run(binary, ["workspace", "create", "--seed-path", directory("one"), "--id-only"])
    assert.include(await listed(one), stdout.toString().trim())
    assert.notInclude(await listed(await boundTo("two")), stdout.toString().trim())
  })
})
