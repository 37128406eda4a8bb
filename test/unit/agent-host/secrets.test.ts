import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { variablesOf } from "../../../src/agent-host/hosts/agent-host.ts"
import { agentHosts } from "../../../src/agent-host/hosts/hosts.ts"
import { type HostName, hostNames } from "../../../src/contract/rows/agent-host.ts"
import { newPlace } from "./place.ts"

const server = (...names: ReadonlyArray<string>) => ({
  command: "pyro",
  args: ["mcp", "serve", ...names.flatMap((name) => ["--secret-env", name])]
})

/** The variables of a person's shell. */
const own = {
  PATH: "/usr/bin",
  HOME: "/home/you",
  TOK: "short",
  GITHUB_TOKEN: "g",
  npm_key: "n",
  PLAIN: `ghp_${"a".repeat(36)}`,
  PYRO_STATE_DIR: "/s"
}

describe("secrets of a server", () => {
  let place: ReturnType<typeof newPlace>
  beforeEach(() => {
    place = newPlace(own)
  })
  afterEach(() => place.remove())

  /** The variables that the host's server gets, as `pyro host doctor` starts it. */
  const given = (name: HostName) => {
    const { environment } = agentHosts[name]
    return environment?.(own, place.entryOf(name)) ?? { ...own, ...variablesOf(place.entryOf(name)) }
  }

  it.each(hostNames)("%s gives its server the variables that the server's options name", async (name) => {
    await place.connect(name, { server: server("TOK", "npm_key", "PLAIN") })
    for (const variable of ["TOK", "npm_key", "PLAIN", "PATH", "PYRO_STATE_DIR"] as const) {
      assert.strictEqual(given(name)[variable], own[variable], variable)
    }
  })

  it.each(["codex", "gemini"] as const)("%s gives its server no secret that no option names", async (name) => {
    await place.connect(name)
    for (const variable of ["GITHUB_TOKEN", "npm_key", "PLAIN"]) assert.notProperty(given(name), variable)
  })

  it("another list of secrets replaces the one before, and keeps the person's variables", async () => {
    await place.connect("gemini", { server: { ...server("TOK"), env: { A: "1" } } })
    await place.connect("gemini", { server: server("npm_key"), force: true })
    assert.deepStrictEqual({ ...variablesOf(place.entryOf("gemini")) }, { npm_key: "$npm_key", A: "1" })
    assert.deepStrictEqual((await place.connect("gemini", { server: server("npm_key") })).files, [])
  })

  it("connect names a variable that is not set, and one that the host keeps for itself", async () => {
    const { notes } = await place.connect("codex", { server: server("TOK", "NOWHERE") })
    assert.lengthOf(notes.filter((note) => note.includes("NOWHERE") && !note.includes("TOK")), 1)
    const refusal = await place.refused("copilot", { server: server("GITHUB_TOKEN") })
    assert.strictEqual(refusal._tag, "InvalidRequest")
    assert.include(refusal.message, "--secret-file GITHUB_TOKEN=PATH")
  })
})
