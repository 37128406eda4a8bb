import { Effect } from "effect"
import * as fs from "node:fs"
import { afterEach, assert, beforeEach, describe, it } from "vitest"
import { repair } from "../../../src/agent-host/administer.ts"
import { meantServer, selectionOf } from "../../../src/agent-host/connect/found-entry.ts"
import { agentHosts } from "../../../src/agent-host/hosts/hosts.ts"
import { type HostName, hostNames, type HostScope } from "../../../src/contract/rows/agent-host.ts"
import { newPlace } from "./place.ts"

describe("repair", () => {
  let place: ReturnType<typeof newPlace>
  beforeEach(() => {
    place = newPlace()
  })
  afterEach(() => place.remove())

  const run = (host: HostName, dryRun = false, scope: HostScope = "user") =>
    repair({ host, place: place.place, scope, cwd: place.folder, own: "/opt/pyro", hasProject: true, dryRun })
  const repaired = (host: HostName, dryRun?: boolean) => Effect.runPromise(run(host, dryRun))

  it.each(hostNames)(
    "repair gives the entry of %s a program that is there, and keeps options and approvals",
    async (host) => {
      const args = ["mcp", "serve", "--profile", "vm-run"]
      await place.connect(host, { server: { command: "/gone/pyro", args }, approve: "all" })
      const before = fs.readFileSync(place.configOf(host), "utf8")
      assert.lengthOf((await repaired(host, true)).files, 1)
      assert.strictEqual(fs.readFileSync(place.configOf(host), "utf8"), before)
      await repaired(host)
      assert.strictEqual(fs.readFileSync(place.configOf(host), "utf8"), before.replace("/gone/pyro", "/opt/pyro"))
      assert.strictEqual(place.backup(place.configOf(host)), before)
      assert.deepStrictEqual((await repaired(host)).files.map(({ diff }) => diff), [])
    }
  )

  it("repair removes servers of other names that are pyro as well", async () => {
    await place.connect("cursor", { server: { command: "/bin/sh", args: ["mcp", "serve"] } })
    const file = place.configOf("cursor")
    const wanted = fs.readFileSync(file, "utf8")
    fs.writeFileSync(
      file,
      wanted.replace(
        "\"pyro\":",
        "\"old\": { \"command\": \"/usr/bin/pyro\", \"args\": [\"mcp\", \"serve\"] },\n    \"docs\": { \"command\": \"docs\" },\n    \"pyro\":"
      )
    )
    await repaired("cursor")
    const after = fs.readFileSync(file, "utf8")
    assert.notInclude(after, "\"old\"")
    assert.include(after, "\"docs\": { \"command\": \"docs\" }")
  })

  it("repair adds no entry to a host without one", async () => {
    assert.include((await Effect.runPromise(Effect.flip(run("zed")))).message, "pyro host connect zed")
  })

  it("repair refuses a broken file", async () => {
    place.write(place.configOf("codex"), "[mcp_servers.pyro\n")
    assert.strictEqual((await Effect.runPromise(Effect.flip(run("codex"))))._tag, "HostFileUnusable")
  })
})

describe("the server that an entry means", () => {
  const meant = (host: HostName, scope: HostScope, words: ReadonlyArray<string>) =>
    meantServer(
      agentHosts[host],
      { scope, path: "", entry: {}, words, stale: [] },
      (command) => command === "pyro",
      "/opt/pyro"
    )

  it("leaves out the words that the host's entry adds", () => {
    const { args } = meant("vscode", "user", [
      "pyro",
      "mcp",
      "serve",
      "--all-workspaces",
      "--project-path",
      "${workspaceFolder}"
    ])
    assert.deepStrictEqual(args, ["mcp", "serve", "--all-workspaces"])
  })

  it("has the usual options where the words are those of another program", () => {
    assert.deepStrictEqual(meant("zed", "user", ["docs", "--stdio"]), { command: "/opt/pyro", args: ["mcp", "serve"] })
  })

  it("has the profile or the mode that its options name", () => {
    assert.deepStrictEqual(
      [["--profile", "vm-run"], ["--profile=workspace-full"], [], ["--profile"], ["--mode=inspect"], ["--mode", "none"]]
        .map((args) => selectionOf({ command: "pyro", args })),
      ["vm-run", "workspace-full", "workspace-core", "workspace-core", "inspect", "workspace-core"]
    )
  })
})
