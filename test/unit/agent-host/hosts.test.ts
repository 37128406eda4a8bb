import * as fs from "node:fs"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import type { FormatName } from "../../../src/agent-host/format/document.ts"
import { agentHosts } from "../../../src/agent-host/hosts/hosts.ts"
import { type HostName, hostNames } from "../../../src/contract/rows/agent-host.ts"
import { modeOf } from "../../../src/contract/rows/modes.ts"
import { typedMessage } from "../../../src/contract/rows/next-steps.ts"
import { filesBeneath, newPlace } from "./place.ts"

/** A configuration with comments, other servers and unknown keys, in each language. */
const existing: { readonly [Name in FormatName]: (servers: string) => string } = {
  json: (servers) =>
    `{
    // kept: a comment
    "theme": "dark", // and this one
    "${servers}": {
        "docs": { "command": "docs", "args": [1, 2.5, null], "unknown": true }
    },
    "last": { "x": [] }
}
`,
  toml: (servers) =>
    `# kept: a comment
model = "gpt" # and this one
numbers = [ 1,
  2, # two
]

[${servers}.docs]
command = "docs" # "quoted" [not.a.header]
text = """
[${servers}.pyro]
"""

[[unknown]]
when = 2026-11-25T10:00:00Z
`,
  yaml: (servers) =>
    `# kept: a comment
GOOSE_MODE: auto   # and this one
${servers}:
    docs:            # odd indentation
        cmd: docs
        args: [a, 'b']

# about the next key
unknown: {x: 1}
`
}

const formatOf: Partial<Record<HostName, FormatName>> = { codex: "toml", goose: "yaml" }

describe.each(hostNames)("%s", (name) => {
  const host = agentHosts[name]
  const format = formatOf[name] ?? "json"
  let place: ReturnType<typeof newPlace>
  beforeEach(() => {
    place = newPlace()
  })
  afterEach(() => place.remove())

  const config = () => fs.readFileSync(place.configOf(name), "utf8")
  const entry = () => place.entryOf(name)

  it("connect makes the host's files, and disconnect removes them", async () => {
    const { files } = await place.connect(name)
    assert.deepStrictEqual(host.commandOf(entry())?.slice(0, 3), ["pyro", "mcp", "serve"])
    assert.isTrue(files.every(({ change }) => change === "create"))
    assert.strictEqual(fs.statSync(place.configOf(name)).mode & 0o777, 0o600)
    await place.disconnect(name)
    assert.deepStrictEqual(fs.readdirSync(place.place.home), [])
  })

  it.each(["\n", "\r\n"])(
    "connect keeps all other text of a file with the line end %j, and disconnect restores each byte",
    async (eol) => {
      const before = existing[format](host.servers[0]).replaceAll("\n", eol)
      place.write(place.configOf(name), before)
      await place.connect(name)
      const after = config()
      assert.deepStrictEqual(host.commandOf(entry())?.slice(0, 3), ["pyro", "mcp", "serve"])
      for (const line of before.split(eol).filter((one) => !/^\s*[{}\],]*\s*$/.test(one))) {
        assert.include(after, line.replace(/,?$/, ""))
      }
      if (eol === "\r\n") assert.notMatch(after, /[^\r]\n/)
      await place.disconnect(name)
      assert.strictEqual(config(), before)
      assert.strictEqual(place.backup(place.configOf(name)), before)
    }
  )

  it("a second connect changes nothing", async () => {
    await place.connect(name)
    const before = filesBeneath(place.folder)
    assert.deepStrictEqual((await place.connect(name)).files, [])
    assert.deepStrictEqual(filesBeneath(place.folder), before)
  })

  it("another entry stays until --force, which keeps keys that pyro does not know", async () => {
    await place.connect(name, { server: { command: "pyro", args: ["mcp", "serve"], env: { A: "1" } } })
    const before = config()
    const other = { server: { command: "/opt/pyro", args: ["mcp", "serve", "--profile", "vm-run"] } }
    const refusal = await place.refused(name, other)
    assert.strictEqual(refusal._tag, "HostEntryDiffers")
    assert.include(refusal.message, "/opt/pyro")
    assert.include(typedMessage(refusal), "--force")
    assert.strictEqual(config(), before)
    await place.connect(name, { ...other, force: true })
    assert.deepStrictEqual(host.commandOf(entry())?.slice(0, 5), ["/opt/pyro", "mcp", "serve", "--profile", "vm-run"])
    if (name !== "cline") assert.include(JSON.stringify(entry()), "{\"A\":\"1\"}")
  })

  it("--force replaces an entry of another kind, and leaves none of its keys", async () => {
    const other = { url: "https://mcp.example.com", headers: { a: "b" }, cwd: "/x", env: { A: "1" }, enabled: false }
    place.write(
      place.configOf(name),
      format === "toml"
        ? "[mcp_servers.pyro]\nurl = \"https://mcp.example.com\"\nbearer_token_env_var = \"T\"\n\n[mcp_servers.pyro.http_headers]\na = \"b\"\n"
        : JSON.stringify({ [host.servers[0]]: { pyro: other } })
    )
    await place.refused(name)
    await place.connect(name, { force: true })
    const replaced = entry()
    await place.disconnect(name)
    fs.rmSync(place.configOf(name))
    await place.connect(name)
    assert.deepStrictEqual(replaced, entry())
  })

  it("a dry run shows the change and writes nothing", async () => {
    const { files } = await place.connect(name, { dryRun: true })
    assert.include(files.map(({ diff }) => diff).join(""), "+++ ")
    assert.deepStrictEqual(filesBeneath(place.folder), [])
  })

  it("--approve all and none replace what safe wrote", async () => {
    for (const approve of ["safe", "all", "none", "safe"] as const) {
      await place.connect(name, { approve })
      assert.deepStrictEqual((await place.connect(name, { approve })).files, [], approve)
    }
    await place.disconnect(name)
    assert.deepStrictEqual(filesBeneath(place.place.home), [])
  })

  it("an empty file counts as none, and a broken one stays as it is", async () => {
    place.write(place.configOf(name), "")
    await place.connect(name)
    assert.isDefined(entry())
    const broken = format === "yaml" ? "a: [1\nb: 2\n" : format === "toml" ? "a = [1\nb = 2\n" : "{\n  \"a\": [1\n"
    place.write(place.configOf(name), broken)
    const before = filesBeneath(place.folder)
    const refusal = await place.refused(name)
    assert.strictEqual(refusal._tag, "HostFileUnusable")
    assert.include(refusal.message, place.configOf(name))
    assert.match(refusal.message, /line \d/)
    assert.include(refusal.message, "Nothing was written")
    assert.strictEqual(config(), broken)
    assert.deepStrictEqual(filesBeneath(place.folder), before)
  })

  it("print-config prints what connect writes to new files", async () => {
    const { files } = await place.printConfig(name)
    assert.deepStrictEqual(filesBeneath(place.folder), [])
    await place.connect(name)
    for (const { path, text } of files) assert.strictEqual(fs.readFileSync(path, "utf8"), text)
  })
})

describe("Amp's rules", () => {
  let place: ReturnType<typeof newPlace>
  beforeEach(() => {
    place = newPlace()
  })
  afterEach(() => place.remove())

  const rules = () =>
    (JSON.parse(fs.readFileSync(place.configOf("amp"), "utf8")) as {
      readonly "amp.permissions"?: ReadonlyArray<{ readonly tool: string; readonly action: string }>
    })["amp.permissions"] ?? []

  it("connect adds one rule a tool after the person's own, and asks before exports and deletions", async () => {
    const own = { tool: "Bash", action: "ask", matches: { cmd: "*rm*" } }
    place.write(place.configOf("amp"), JSON.stringify({ "amp.permissions": [own] }))
    await place.connect("amp")
    assert.deepStrictEqual(rules()[0], own)
    assert.lengthOf(rules(), 17)
    assert.sameMembers(
      rules().filter(({ action }) => action === "ask").map(({ tool }) => tool),
      ["Bash", "mcp__pyro__workspace_export", "mcp__pyro__workspace_delete"]
    )
    await place.connect("amp", { approve: "all" })
    assert.deepStrictEqual(rules().filter(({ action }) => action === "ask"), [own])
    await place.disconnect("amp")
    assert.deepStrictEqual(rules(), [own])
  })

  it("a server with a mode gets rules for its tools only", async () => {
    await place.connect("amp", { server: { command: "pyro", args: ["mcp", "serve", "--mode", "inspect"] } })
    assert.lengthOf(rules(), Object.keys(modeOf("inspect")!.tools).length)
    assert.notInclude(JSON.stringify(rules()), "workspace_export")
  })
})
