import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { until } from "../support/pyro-cli.ts"
import { sanitizedBuild } from "./agent.ts"

interface Entry {
  readonly key: string
  readonly at: string
  readonly kind: string
  readonly text: string
  readonly details: Readonly<Record<string, unknown>>
  readonly seenAt: string
}

interface Observed {
  readonly workspace: { readonly name: string; readonly state: string; readonly labels: object }
  readonly lastCommand?: { readonly outcome: string; readonly status?: number; readonly command: ReadonlyArray<string> }
  readonly commandCount: number
  readonly failedCount: number
}

interface Followed {
  readonly timeline: ReadonlyArray<Entry>
  readonly changes: ReadonlyArray<
    { readonly workspaces: ReadonlyArray<Observed>; readonly gone: ReadonlyArray<string> }
  >
  readonly isOver: boolean
}

describe("followers of a workspace, over a local agent", { concurrent: false }, () => {
  const driver = localAgent(sanitizedBuild)
  let client: WorkspacesClient
  const { call, create, remove, sh } = operations(() => client)
  beforeAll(async () => {
    client = await driver.open()
  })
  afterAll(() => driver.close(client))

  const followed = () => call<Followed>("followed", {})
  const timelineOf = async (workspace: string, limit = 200, more = {}) =>
    (await call<{ readonly entries: ReadonlyArray<Entry> }>("timeline", { workspace, limit, ...more })).entries
  /** The newest form of each entry. */
  const shown = ({ timeline }: Followed) => [...new Map(timeline.map((entry) => [entry.key, entry])).values()]
  const seen = (what: string, condition: (all: Followed) => boolean) =>
    until(what, async () => condition(await followed()))

  it("a timeline has the events and commands of a workspace in the order of time", async () => {
    await create("fix", { labels: { task: "42" } })
    await sh("fix", "echo one")
    await sh("fix", "exit 3").catch(() => {})
    const entries = await timelineOf("fix")
    assert.deepStrictEqual(entries.map(({ kind }) => kind), ["seed", "created", "command", "command"])
    assert.deepInclude(entries[2]!.details, { outcome: "exited", status: 0 })
    assert.match(entries[3]!.text, /sh -ec 'exit 3': exited with 3 after \d+\.\d s$/)
    assert.deepStrictEqual(entries.map(({ at }) => at), entries.map(({ at }) => at).toSorted())
    assert.deepStrictEqual((await timelineOf("fix", 1)).map(({ key }) => key), [entries[3]!.key])
    const only = async (kind: string, limit = 200) =>
      (await timelineOf("fix", limit, { only: kind })).map(({ key }) => key.replace(/:.*/, ""))
    assert.deepStrictEqual(await only("events"), ["event", "event"])
    assert.deepStrictEqual(await only("events", 1), ["event"])
    assert.deepStrictEqual(await only("commands"), ["command", "command"])
    assert.deepStrictEqual(await only("connections"), [])
    assert.deepStrictEqual(await only("requests"), [])
  })

  it("a command and a request of a model name its MCP client, and those of a person none", async () => {
    const model = { ceiling: "off", client: "Claude Code 2.1.0" }
    await create("seen")
    await call("exec", { workspace: "seen", script: "echo model", ...model })
    await sh("seen", "echo person")
    await call("reset", { workspace: "seen", snapshot: "none", ...model }).catch(() => {})
    const entries = await timelineOf("seen")
    const of = (words: string) => entries.find(({ text }) => text.includes(words))!
    assert.match(of("echo model").text, /bash -c 'echo model': exited with 0 after \d+\.\d s, by Claude Code 2\.1\.0$/)
    assert.strictEqual(of("echo model").details["client"], "Claude Code 2.1.0")
    assert.match(of("echo person").text, / s$/)
    assert.notProperty(of("echo person").details, "client")
    assert.include(of("asks: reset none").text, "a model (Claude Code 2.1.0) asks")
    assert.deepInclude(of("asks: reset none").details, { by: "model", client: "Claude Code 2.1.0" })
    await remove("seen")
  })

  it("a follower sees a command at its start and its end, each within a fifth of a second", async () => {
    await call("follow", { workspace: "fix", follow: true })
    await seen("the first entries", ({ timeline }) => timeline.length === 4)
    await call("exec", { workspace: "fix", script: "sleep 0.6", detach: true })
    await seen("the end of the command", (all) => {
      const entries = shown(all)
      return entries.length === 5 && entries.at(-1)!.details["outcome"] === "exited"
    })
    const { timeline } = await followed()
    const [begun, ended] = timeline.slice(-2)
    assert.strictEqual(begun!.key, ended!.key)
    assert.strictEqual(begun!.details["outcome"], "running")
    const startedMs = Date.parse(begun!.at)
    // The looks are 100 ms apart; a loaded host may give this process no processor for a while.
    assert.isBelow(Date.parse(begun!.seenAt) - startedMs, 1_000)
    assert.isBelow(Date.parse(ended!.seenAt) - startedMs - Number(ended!.details["duration_ms"]), 1_000)
  })

  it("a watcher of all workspaces gets those that changed, with their last command", async () => {
    await seen("the first look", ({ changes }) => changes.length > 0)
    await create("other", {})
    await seen(
      "the new workspace",
      ({ changes }) =>
        changes.at(-1)!.workspaces.some(({ workspace }) => workspace.name === "other" && workspace.state === "running")
    )
    await sh("other", "exit 7").catch(() => {})
    await seen(
      "its command",
      ({ changes }) =>
        changes.some(({ workspaces }) =>
          workspaces.some(({ commandCount, failedCount, lastCommand, workspace }) =>
            workspace.name === "other" && commandCount === 1 && failedCount === 1 && lastCommand?.status === 7
          )
        )
    )
    const { changes } = await followed()
    const first = changes.findIndex(({ workspaces }) => workspaces.some(({ workspace }) => workspace.name === "other"))
    // `fix` did nothing meanwhile but use the processor.
    const later = changes.slice(first + 1).flatMap(({ workspaces }) => workspaces)
    assert.isTrue(later.some(({ workspace }) => workspace.name === "other"))
    await remove("other")
    await seen("the deletion", ({ changes }) => changes.at(-1)!.gone.length === 1)
  })

  it("a timeline that is followed ends with its workspace", async () => {
    assert.isFalse((await followed()).isOver)
    await remove("fix")
    await seen("the end", ({ isOver }) => isOver)
  })

  it("a timeline has what a model asked, and what people changed", async () => {
    await create("asked", {})
    await call("logs", { workspace: "asked" })
    await call("logs", { workspace: "asked", exec_id: "0", ceiling: "off" }).catch(() => {})
    await call("update", { workspace: "asked", ttl_seconds: 3600 })
    const asked = (await timelineOf("asked")).filter(({ kind }) => kind === "request")
    assert.deepStrictEqual(asked.map(({ details: { by, operation, outcome } }) => [by, operation, outcome]), [
      ["model", "logs", "exec_not_found"],
      ["person", "update", "ok"]
    ])
    assert.match(asked[0]!.text, /^a model asks: logs 0: /)
    await remove("asked")
  })

  it("names and output of a guest are escaped in the sentences of a timeline", async () => {
    await create("hostile", {})
    await sh("hostile", "true '\u001b]0;title\u0007\u202e'")
    const text = (await timelineOf("hostile")).at(-1)!.text
    assert.notMatch(text, /[\u001b\u0007\u202e]/u)
    assert.include(text, "title")
    await remove("hostile")
  })
})
