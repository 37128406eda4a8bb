import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { modeNames, modeOf } from "../../src/contract/rows/modes.ts"
import type { McpSurface, Profile } from "../../src/contract/rows/operation.ts"
import { operations } from "../../src/contract/rows/operations.ts"
import { installation } from "../support/installation.ts"
import { type Era, eras, inspector } from "../support/mcp/inspector.ts"
import { succeeded, type ToolResult } from "../support/mcp/mcp-clients.ts"

// A candidate of a try stays to be kept where rewinds have room.
const { close, env, folder } = installation("pyro-mcp-inspector-", { env: { PYRO_REWIND_MIB: "1024" } })
const project = path.join(folder, "project")

const profiles: Readonly<Record<string, Profile>> = {
  "vm-run": "vm-run",
  "workspace-core": "core",
  "workspace-full": "full"
}

/** Servers with these are listed only. */
const selections = [...Object.keys(profiles), ...modeNames]

/** Names of a profile's tools as the table of operations has them. */
const toolsOf = (profile: Profile) =>
  operations.flatMap(({ mcp }: { readonly mcp: McpSurface | object }) =>
    "tool" in mcp && mcp.profiles.includes(profile) ? [mcp.tool] : []
  )

const listedTools = (selection: string) => {
  const mode = modeOf(selection)
  return mode === undefined
    ? toolsOf(profiles[selection]!)
    : toolsOf("full").filter((name) => name in mode.tools)
}

type Lists<Name extends string, Entry = object> = Readonly<Record<Name, ReadonlyArray<Entry>>>

interface Named {
  readonly name: string
}

interface Exec {
  readonly exec_id: string
  readonly stdout: string
}

interface Shell {
  readonly shell_id: string
}

let ask: Awaited<ReturnType<typeof inspector>>

beforeAll(async () => {
  fs.mkdirSync(project)
  fs.writeFileSync(path.join(project, "kept.txt"), "kept\n")
  ask = await inspector({ env, folder, selections, project })
})
afterAll(close)

/** What the Inspector gives for a request of which it has nothing to complain. */
const answered = async <A>(...question: Parameters<typeof ask>): Promise<A> => {
  const { code, stderr, stdout } = await ask(...question)
  assert.deepStrictEqual({ code, stderr }, { code: 0, stderr: "" }, `${question.join(" ")}: ${stdout}`)
  return (JSON.parse(stdout) as { readonly result: A }).result
}

const includes = (result: object, part: object) => assert.deepInclude(result, part)

const jsonOf = (args: object) => ["--tool-args-json", JSON.stringify(args)]

const PATCH = `--- a/kept.txt
+++ b/kept.txt
@@ -1 +1,2 @@
 kept
+patched
`

describe.each(Object.keys(eras) as ReadonlyArray<Era>)("MCP Inspector in the %s era", (era) => {
  it("MCP Inspector connects with the revision of the era", async () => {
    const told = await answered<{ readonly protocolVersion: string }>("workspace-core", era, "initialize")
    assert.strictEqual(told.protocolVersion, eras[era])
  })

  it.each(selections)(
    "MCP Inspector lists the tools of %s and finds no fault in their schemas",
    async (selection) => {
      const { tools } = await answered<Lists<"tools", Named>>(selection, era, "tools/list", "--strict")
      assert.deepStrictEqual(tools.map(({ name }) => name), listedTools(selection))
    }
  )

  it("MCP Inspector lists and gets the prompt of a mode", async () => {
    const { prompts } = await answered<Lists<"prompts", Named>>("repro-fix", era, "prompts/list")
    assert.deepStrictEqual(prompts.map(({ name }) => name), ["repro-fix"])
    const asked = ["--prompt-name", "repro-fix", "--prompt-args", "problem=login"] as const
    const { messages } = await answered<Lists<"messages">>("repro-fix", era, "prompts/get", ...asked)
    assert.include(JSON.stringify(messages), "The defect: login")
  })

  it("MCP Inspector lists the resource templates", async () => {
    const asked = ["workspace-full", era] as const
    assert.deepStrictEqual(await answered(...asked, "resources/list"), { resources: [] })
    const { resourceTemplates } = await answered<Lists<"resourceTemplates">>(...asked, "resources/templates/list")
    assert.lengthOf(resourceTemplates, 3)
  })

  it("MCP Inspector shows a failed call as a failure", async () => {
    const args = jsonOf({ workspace_id: "none" })
    const { code, stdout } = await ask("workspace-core", era, "tools/call", "--tool-name", "workspace_status", ...args)
    assert.strictEqual(code, 5, stdout)
    assert.include(stdout, "workspace_not_found: ")
  })
})

/** Each question in the other era than the one before. */
const byTurns = (() => {
  let asked = 0
  return <A>(method: string, ...more: ReadonlyArray<string>) =>
    answered<A>("workspace-full", (["legacy", "modern"] as const)[asked++ % 2]!, method, ...more)
})()

// Each question is a process of its own, and a part of the story has the time of a test.
describe("MCP Inspector with every tool and every kind of resource", { concurrent: false }, () => {
  const called = new Set<string>()
  const call = async <A>(name: string, args: object = {}): Promise<A> => {
    called.add(name)
    return succeeded<A>(await byTurns<ToolResult>("tools/call", "--tool-name", name, ...jsonOf(args)))
  }
  const inIt = <A>(name: string, args: object = {}) => call<A>(`workspace_${name}`, { workspace_id: "first", ...args })
  const read = async (of: string) => {
    const { contents } = await byTurns<Lists<"contents", { readonly text: string }>>(
      "resources/read",
      "--uri",
      `pyro://workspaces/first/${of}`
    )
    return contents.map(({ text }) => text)
  }

  it("MCP Inspector runs a command, makes a workspace and finds it", async () => {
    const { environments } = await call<Lists<"environments", Named>>("environment_list")
    assert.include(environments.map(({ name }) => name), "debian:12")
    const ran = { command: "cat kept.txt; exit 3", seed_path: ".", memory_mib: 256 }
    includes(await call("vm_run", ran), { exit_code: 3, stdout: "kept\n" })
    await call("workspace_create", { name: "first", labels: { seen: "no" }, memory_mib: 256, disk_mib: 512 })
    const { workspaces } = await call<Lists<"workspaces">>("workspace_list", { labels: { seen: "no" } })
    assert.lengthOf(workspaces, 1)
    includes(await inIt("update", { labels: { seen: "yes" } }), { labels: { seen: "yes" } })
    includes(await inIt("status"), { name: "first", state: "running" })
    const { resources } = await byTurns<Lists<"resources", Named>>("resources/list")
    assert.deepStrictEqual(resources.map(({ name }) => name), ["Diff of first"])
  })

  it("MCP Inspector writes, edits, patches, exports and pushes files", async () => {
    const { version } = await inIt<{ readonly version: string }>("file_write", { path: "made.txt", text: "made\n" })
    await inIt("file_edit", { path: "made.txt", old_text: "made", new_text: "edited", expected_version: version })
    includes(await inIt("file_read", { path: "made.txt" }), { text: "edited\n" })
    assert.deepStrictEqual(await read("files/made.txt"), ["edited\n"])
    const { entries } = await inIt<Lists<"entries">>("file_list")
    assert.lengthOf(entries, 2)
    includes(await inIt("patch_apply", { patch: PATCH }), { applied: true })
    const diff = await inIt<{ readonly files_changed: number; readonly patch: string; readonly digest: string }>("diff")
    assert.strictEqual(diff.files_changed, 2)
    assert.deepStrictEqual(await read("diff"), [diff.patch])
    await inIt("export", { patch: true, expect: diff.digest, output_path: "made.patch" })
    assert.strictEqual(fs.readFileSync(path.join(project, "made.patch"), "utf8"), diff.patch)
    includes(await inIt("sync_push"), { conflict_count: 0 })
  })

  it("MCP Inspector runs commands, reads their logs and cancels one", async () => {
    const ended = await inIt<Exec>("exec", { command: "cat kept.txt; exit 4" })
    includes(ended, { state: "exited", exit_code: 4, stdout: "kept\npatched\n" })
    includes(await inIt("logs", { exec_id: ended.exec_id }), { output: ended.stdout })
    assert.deepStrictEqual(await read(`logs/${ended.exec_id}`), [ended.stdout])
    const { exec_id } = await inIt<Exec>("exec", { command: "sleep 600", wait_seconds: 0 })
    includes(await inIt("cancel", { exec_id }), { exec_id, cancelled: true })
    includes(await inIt("exec", { exec_id }), { state: "exited", outcome: "signaled" })
  })

  it("MCP Inspector types into a shell", async () => {
    const { shell_id } = await call<Shell>("shell_open", { workspace_id: "first", command: ["cat"] })
    const shell = { workspace_id: "first", shell_id }
    const typed = { ...shell, input: "typed\n", wait_for: "typed\ntyped" }
    includes(await call("shell_write", typed), { output: "typed\ntyped", waited: "found" })
    includes(await call("shell_read", shell), { output: "typed\ntyped", outcome: "running" })
    includes(await call("shell_close", shell), { outcome: "signaled" })
    const { shells } = await call<Lists<"shells">>("shell_list", { workspace_id: "first" })
    assert.lengthOf(shells, 1)
  })

  it("MCP Inspector starts and stops a service", async () => {
    const service = <A>(verb: string, args: object = {}) =>
      call<A>(`service_${verb}`, { workspace_id: "first", ...args })
    const echo = { name: "echo", command: "echo up; touch /run/up; exec sleep 600", ready_file: "/run/up" }
    includes(await service("start", echo), { name: "echo", state: "ready" })
    assert.lengthOf((await service<Lists<"services">>("list")).services, 1)
    includes(await service("status", { name: "echo" }), { state: "ready", restarts: 0 })
    includes(await service("logs", { name: "echo" }), { output: "up\n", has_more: false })
    includes(await service("stop", { name: "echo" }), { state: "stopped" })
  })

  it("MCP Inspector tries a candidate and keeps it", async () => {
    const attempt = {
      candidates: [{ name: "noted", command: "echo noted >note.txt" }],
      check: "grep -q noted note.txt"
    }
    const { candidates } = await inIt<Lists<"candidates">>("try", attempt)
    includes(candidates[0]!, { name: "noted", outcome: "passed" })
    includes(await inIt("keep", { candidate: "noted" }), { kept: "noted" })
  })

  it("MCP Inspector saves, forks, compares and resets", async () => {
    await inIt("snapshot_create", { name: "here" })
    await inIt("fork", { name: "second", snapshot: "here" })
    await inIt("file_write", { path: "later.txt", text: "later\n" })
    const between = { from: "second", to: "first" }
    includes(await call("workspace_compare", between), { files_changed: 1, additions: 1, deletions: 0 })
    await inIt("summary")
    await inIt("reset", { snapshot: "here" })
    const { snapshots } = await inIt<Lists<"snapshots">>("snapshot_list")
    assert.lengthOf(snapshots, 1)
    await inIt("snapshot_delete", { name: "here" })
  })

  it("MCP Inspector sets the network and publishes a port", async () => {
    await call("network_lists")
    await inIt("network_set", { network_policy: "egress+published-ports" })
    includes(await call("port_publish", { workspace_id: "first", port: "3000" }), { guest_port: 3000 })
    includes(await call("port_unpublish", { workspace_id: "first", guest_port: 3000 }), { guest_port: 3000 })
    includes(await inIt("network_set", { network_policy: "off" }), { reset_count: 0 })
    includes(await inIt("network_log"), { entries: [], open: [] })
  })

  it("MCP Inspector reads the disk of a stopped workspace", async () => {
    await inIt("stop")
    const { entries: etc } = await inIt<Lists<"entries">>("disk_list", { path: "/etc" })
    assert.isAbove(etc.length, 10)
    assert.include(
      await inIt<{ readonly text: string }>("disk_read", { path: "/etc/passwd" }).then(({ text }) => text),
      "root:"
    )
    await inIt("disk_export", { output_path: "disk.img" })
    assert.strictEqual(fs.statSync(path.join(project, "disk.img")).size, 512 * 1024 * 1024)
    await inIt("start")
    await call("workspace_delete", { workspace_ids: ["first", "second"] })
  })

  it("MCP Inspector has called every tool of the table", () => {
    assert.sameMembers([...called], toolsOf("full"))
  })
})
