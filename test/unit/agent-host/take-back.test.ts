import * as fs from "node:fs"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { agentHosts } from "../../../src/agent-host/hosts/hosts.ts"
import { type HostName, hostNames } from "../../../src/contract/agent-host.ts"
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
})
