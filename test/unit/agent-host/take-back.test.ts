import { Result } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { edit } from "../../../src/agent-host/format/format.ts"
import { agentHosts } from "../../../src/agent-host/hosts/hosts.ts"
import { type HostName, hostNames } from "../../../src/contract/rows/agent-host.ts"
import { filesBeneath, newPlace } from "./place.ts"

const jsonHosts = hostNames.filter((name) => name !== "codex" && name !== "goose")

const jsonTexts = (servers: string) => [
  "{}",
  "{}\n",
  "",
  "\n\n",
  "{\n  // mine\n}\n",
  `{\n  // mine\n  "${servers}": {},\n}\n`,
  `{\n  "${servers}": {} // mine\n}`,
  `{"${servers}":{}}`,
  `{ "${servers}": {} }\n`,
  `{\n  "${servers}": {\n  },\n  "a": 1\n}`,
  "{\"a\":1}",
  "\r\n{\r\n\t\"a\": 1\r\n}"
]

const cases: ReadonlyArray<readonly [HostName, string]> = [
  ...jsonHosts.flatMap((name) => jsonTexts(agentHosts[name].servers[0]).map((text) => [name, text] as const)),
  ...["", "\n", "a = 1", "a = 1\n\n\n", "# mine", "[mcp_servers]\n", "[mcp_servers]", "a = 1\r\nb = 2"].map((text) =>
    ["codex", text] as const
  ),
  ...[
    ...[
      "",
      "\n",
      "extensions:",
      "extensions:\nb:   2\n",
      "extensions: {}\n",
      "extensions: {a: {cmd: x}}   # mine\nb:   [1,2]\n"
    ],
    ...["b: 2", "extensions: ~\n", "extensions:\n    a: {cmd: x}", "---\nb: 2\n", "{b: 2}\n"]
  ].map((text) => ["goose", text] as const)
]

describe("disconnect", () => {
  let place: ReturnType<typeof newPlace>
  beforeEach(() => {
    place = newPlace()
  })
  afterEach(() => place.remove())

  it("names the entry of the other scope, which stays", async () => {
    await place.connect("claude-code")
    await place.connect("claude-code", { scope: "project" })
    const { notes } = await place.disconnect("claude-code")
    assert.include(notes.join(), "stays. Remove it: pyro host disconnect claude-code --scope project")
    assert.deepStrictEqual((await place.disconnect("claude-code", { scope: "project" })).notes, [])
  })

  it.each(cases)("gives %s a file with the text %j back, and leaves nothing else", async (name, text) => {
    const config = place.configOf(name)
    place.write(config, text)
    const before = filesBeneath(place.place.home)
    await place.connect(name)
    await place.connect(name, { approve: "all" })
    await place.disconnect(name)
    assert.strictEqual(fs.readFileSync(config, "utf8"), text)
    assert.deepStrictEqual(filesBeneath(place.place.home), before)
    assert.deepStrictEqual((await place.disconnect(name)).files, [])
  })

  it.each(
    [
      ["codex", "a = 1", "\n[b]\nc = 2\n"],
      ["goose", "extensions: {}\n", "last: {x: 1}\n"]
    ] as const
  )("gives %s the text back beside what another program has appended meanwhile", async (name, text, more) => {
    const config = place.configOf(name)
    place.write(config, text)
    await place.connect(name)
    fs.appendFileSync(config, more)
    await place.disconnect(name)
    const left = fs.readFileSync(config, "utf8")
    assert.notInclude(left, "pyro")
    assert.include(left, text.trim())
    assert.include(left, more.trim())
  })

  it("keeps what a person has added to a file that pyro made", async () => {
    await place.connect("cursor")
    const config = place.configOf("cursor")
    fs.writeFileSync(
      config,
      fs.readFileSync(config, "utf8").replace("\"mcpServers\": {", "\"mine\": 1,\n  \"mcpServers\": {")
    )
    await place.disconnect("cursor")
    assert.deepStrictEqual(JSON.parse(fs.readFileSync(config, "utf8")), { mine: 1 })
  })

  it("takes the entry out of a file in which a person had written it", async () => {
    const config = place.configOf("cursor")
    place.write(
      config,
      "{ \"mcpServers\": { \"pyro\": { \"command\": \"pyro\", \"args\": [\"mcp\", \"serve\"] } }, \"a\": 1 }\n"
    )
    await place.connect("cursor", { force: true })
    await place.disconnect("cursor")
    assert.deepStrictEqual(JSON.parse(fs.readFileSync(config, "utf8")), { a: 1 })
  })

  it("works without what connect has kept", async () => {
    const config = place.configOf("codex")
    place.write(config, "a = 1\n")
    await place.connect("codex")
    fs.rmSync(place.place.state, { recursive: true })
    await place.disconnect("codex")
    assert.strictEqual(fs.readFileSync(config, "utf8"), "a = 1\n")
  })

  const KEY = "a key of the person"

  /** Files with an entry of another program under pyro's name, as their person wrote them. */
  const replacing: ReadonlyArray<readonly [HostName, string]> = [
    [
      "cursor",
      `{\n  "mcpServers": {\n    // mine\n    "pyro": { "url": "https://x.example/mcp",  "headers": {"K": "${KEY}"} },\n    "b": {"command": "b"}\n  }\n}\n`
    ],
    [
      "claude-code",
      `{"mcpServers":{"pyro":{"type":"stdio","command":"pyrolysis","args":[],"env":{"K":"${KEY}"}}},"n":1}`
    ],
    ["vscode", `{"servers": {"pyro": {"command": "pyrolysis", "args": ["x"], "env": {"K": "${KEY}"}}}}\n`],
    [
      "codex",
      `model = "m"\n\n[mcp_servers.pyro]   # mine\nurl = 'https://x.example/mcp'\nhttp_headers = { "K" = "${KEY}" }\n\n[mcp_servers.b]\ncommand = "b"\n`
    ],
    ["codex", `[mcp_servers.pyro]\ncommand = "pyrolysis"\n\n[mcp_servers.pyro.env]\nK = "${KEY}"\n`],
    ["goose", `extensions:\n  pyro: {type: stdio, cmd: pyrolysis, envs: {K: "${KEY}"}, enabled: true}\nb: 2\n`]
  ]

  it.each(replacing)(
    "gives %s the entry of another program back that connect --force replaced: %j",
    async (name, text) => {
      const config = place.configOf(name)
      place.write(config, text)
      fs.chmodSync(config, 0o640)
      await place.connect(name, { force: true })
      assert.notInclude(fs.readFileSync(config, "utf8"), KEY)
      await place.connect(name, { approve: "all", force: true })
      await place.disconnect(name)
      assert.strictEqual(fs.readFileSync(config, "utf8"), text)
      assert.strictEqual(fs.statSync(config).mode & 0o777, 0o640)
      // It is not pyro's: a second disconnect leaves it.
      const { files, notes } = await place.disconnect(name)
      assert.deepStrictEqual(files, [])
      const program = /url/.test(text)
        ? "a server at an address"
        : /"x"/.test(text)
        ? "another program (pyrolysis x)"
        : "another program (pyrolysis)"
      assert.deepStrictEqual(notes, [`the entry pyro in ${config} is for ${program}, and stays`])
      assert.strictEqual(fs.readFileSync(config, "utf8"), text)
    }
  )

  it("disconnect names an entry that runs pyro under another name, and leaves the entry", async () => {
    const config = place.configOf("cursor")
    const text = JSON.stringify({ mcpServers: { mine: { command: "pyro", args: ["mcp", "serve"] } } })
    place.write(config, text)
    const { files, notes } = await place.disconnect("cursor")
    assert.deepStrictEqual(files, [])
    assert.include(notes.join(), `the entry mine in ${config} runs pyro under another name, and stays`)
    assert.strictEqual(fs.readFileSync(config, "utf8"), text)
  })

  it("only the user reads a replaced entry that is kept", async () => {
    const [name, text] = replacing[0]!
    place.write(place.configOf(name, "project"), text)
    await place.connect(name, { scope: "project", force: true })
    const folder = path.join(place.place.state, "host-files")
    assert.strictEqual(fs.statSync(folder).mode & 0o077, 0)
    const kept = fs.readdirSync(folder).filter((file) => fs.readFileSync(path.join(folder, file), "utf8").includes(KEY))
    assert.isNotEmpty(kept)
    for (const file of kept) assert.strictEqual(fs.statSync(path.join(folder, file)).mode & 0o077, 0, file)
    assert.deepStrictEqual(filesBeneath(place.place.project), [".cursor/mcp.json"])
    await place.disconnect(name, { scope: "project" })
    assert.strictEqual(fs.readFileSync(place.configOf(name, "project"), "utf8"), text)
  })

  it.each(replacing)(
    "gives %s the replaced entry back in a file that another program has written anew",
    async (name, text) => {
      const config = place.configOf(name)
      place.write(config, text)
      const { commandOf, servers: [servers] } = agentHosts[name]
      const { format } = agentHosts[name].config("user", place.place)!
      await place.connect(name, { force: true })
      const pyros = fs.readFileSync(config, "utf8")
      // pyro's own lines are others, and the patch of the record fits no more.
      const args = { _tag: "set", path: [servers, "pyro", "args"], value: ["mcp", "serve", "--git", "none"] } as const
      fs.writeFileSync(
        config,
        name === "codex" || name === "goose"
          ? Result.getOrThrow(edit(format, pyros, [args]))
          : JSON.stringify(JSON.parse(pyros.replace(/^ *\/\/.*$/m, "")), undefined, 8)
      )
      assert.isDefined(commandOf(place.entryOf(name)))
      await place.disconnect(name)
      assert.deepEqual(place.entryOf(name), place.entryOf(name, text))
    }
  )

  it("brings no replaced entry back that a person has removed meanwhile", async () => {
    const [name, text] = replacing[0]!
    const config = place.configOf(name)
    place.write(config, text)
    await place.connect(name, { force: true })
    fs.writeFileSync(config, "{}\n")
    await place.connect(name)
    await place.disconnect(name)
    assert.strictEqual(fs.readFileSync(config, "utf8"), "{}\n")
  })
})
