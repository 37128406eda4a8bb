import * as fs from "node:fs"
import * as path from "node:path"
import { afterEach, assert, describe, it } from "vitest"
import { agentHosts } from "../../../src/agent-host/hosts/hosts.ts"
import { hostNameOf, hostNames } from "../../../src/contract/rows/agent-host.ts"
import { filesBeneath, newPlace } from "./place.ts"

describe("names of hosts", () => {
  it("a program, a package and a product lead to the host's own name", () => {
    const words = [
      "claude",
      "gemini-cli",
      "copilot-cli",
      "vs-code",
      "VS Code",
      "Qwen_Code",
      "kilocode",
      "GitHub Copilot"
    ]
    assert.deepStrictEqual(
      words.map(hostNameOf),
      ["claude-code", "gemini", "copilot", "vscode", "vscode", "qwen", "kilo", "copilot"]
    )
    assert.deepStrictEqual(hostNames.map(hostNameOf), [...hostNames])
    assert.deepStrictEqual(["emacs", "__proto__"].map(hostNameOf), ["emacs", "__proto__"])
  })

  it("every host has the name by which it is asked for", () => {
    assert.deepStrictEqual(hostNames.map((name) => agentHosts[name].name), [...hostNames])
  })
})

describe("places of hosts", () => {
  let place: ReturnType<typeof newPlace> | undefined
  afterEach(() => place?.remove())

  it("GEMINI_CLI_HOME leads to all files of Gemini CLI, and QWEN_HOME to those of Qwen Code", async () => {
    const elsewhere = fs.mkdtempSync("/tmp/pyro-elsewhere-")
    place = newPlace({ GEMINI_CLI_HOME: elsewhere, QWEN_HOME: path.join(elsewhere, "q") })
    await place.connect("gemini")
    await place.connect("qwen")
    assert.deepStrictEqual(filesBeneath(elsewhere), [
      ".gemini/policies/pyro.toml",
      ".gemini/settings.json",
      "q/settings.json"
    ])
    assert.deepStrictEqual(filesBeneath(place.place.home), [])
    await place.disconnect("gemini")
    await place.disconnect("qwen")
    assert.deepStrictEqual(fs.readdirSync(elsewhere), [])
    fs.rmdirSync(elsewhere)
  })

  it("Copilot CLI and Claude Code have one entry in a project's file", async () => {
    place = newPlace()
    await place.connect("claude-code", { scope: "project" })
    assert.deepStrictEqual((await place.connect("copilot", { scope: "project" })).files, [])
    assert.strictEqual(place.configOf("copilot", "project"), path.join(place.place.project, ".mcp.json"))
  })

  it("Kilo and Qwen Code get a question before exports and deletions, and none before other tools", async () => {
    place = newPlace()
    await place.connect("kilo")
    const { permission } = JSON.parse(fs.readFileSync(place.configOf("kilo"), "utf8")) as {
      readonly permission: object
    }
    assert.deepStrictEqual(permission, {
      "pyro_*": "allow",
      pyro_workspace_export: "ask",
      pyro_workspace_delete: "ask"
    })
    await place.connect("qwen")
    const { permissions } = JSON.parse(fs.readFileSync(place.configOf("qwen"), "utf8")) as {
      readonly permissions: object
    }
    assert.deepStrictEqual(permissions, {
      allow: ["mcp__pyro__*"],
      ask: ["mcp__pyro__workspace_export", "mcp__pyro__workspace_delete"]
    })
  })
})
