import * as fs from "node:fs"
import { connect, type Socket } from "node:net"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { until } from "../support/pyro-cli.ts"
import { sanitizedBuild } from "./agent.ts"

/** A server on the guest's port 7000 that greets each client, and ends with the client. */
const GREETER = `import socket
listener = socket.create_server(("127.0.0.1", 7000))
print("ready", flush=True)
while True:
  one = listener.accept()[0]
  one.sendall(b"hello")
  one.recv(1)
  one.close()`

/** A client of a published port, after its first bytes: a server may not listen yet. */
const greeted = async (port: number) => {
  let client: Socket | undefined
  await until("the greeting", () =>
    new Promise((resolve) => {
      client = connect(port, "127.0.0.1").on("data", () => resolve(true)).on("error", () => resolve(false))
        .on("close", () => resolve(false))
    }))
  return client!
}

const eventsOf = (kind: string, events: ReadonlyArray<{ readonly kind: string; readonly text: string }>) =>
  events.filter((one) => one.kind === kind).map(({ text }) => text)

describe("a workspace that is paused when nothing uses it, over a local agent", { concurrent: false }, () => {
  const driver = localAgent(sanitizedBuild)
  let client: WorkspacesClient
  const { call, create, exec, remove, sh, startProgram, status } = operations(() => client)
  beforeAll(async () => {
    client = await driver.open()
  })
  afterAll(() => driver.close(client))

  const idle = (name: string) => create(name, { pause_after_seconds: 1 })
  const stateOf = async (name: string) => (await status(name)).state
  const isPaused = async (name: string) => (await stateOf(name)) === "paused"
  const paused = (name: string) => until(`the pause of ${name}`, () => isPaused(name))
  const events = async (workspace: string) =>
    (await call<{ readonly events: ReadonlyArray<{ readonly kind: string; readonly text: string }> }>("events", {
      workspace
    })).events

  /** Waits until a workspace was paused that is unused for less time than all others. */
  const othersWerePaused = async () => {
    await idle("witness")
    await paused("witness")
    await remove("witness")
  }

  it("an unused workspace is paused, and its next use goes on with its memory", async () => {
    await idle("w")
    await sh("w", "echo kept > /dev/shm/page")
    await paused("w")
    // The state is visible before the end of the pause.
    await until("the event", async () => eventsOf("paused", await events("w")).length > 0)
    assert.deepStrictEqual(eventsOf("paused", await events("w")), [
      "paused: nothing used it for 1 s; its memory is on disk"
    ])
    assert.strictEqual(await sh("w", "cat /dev/shm/page"), "kept")
  })

  it("a running command keeps a workspace awake, and an ended one does not", async () => {
    const command = await startProgram("w", "until [ -e end ]; do sleep 0.02; done")
    await othersWerePaused()
    assert.strictEqual(await stateOf("w"), "running")
    await sh("w", "touch end")
    await until(
      "the command's end",
      async () =>
        (await call<{ readonly commands: ReadonlyArray<{ readonly execId: string; readonly outcome: string }> }>(
          "logs",
          {
            workspace: "w"
          }
        )).commands.some(({ execId, outcome }) => execId === command && outcome === "exited")
    )
    await paused("w")
  })

  it("an open connection to a published port keeps a workspace awake, and a service alone does not", async () => {
    await call("service-start", { workspace: "w", name: "greeter", script: `exec python3 -c '${GREETER}'` })
    const { hostPort } = await call<{ readonly hostPort: number }>("port-publish", { workspace: "w", port: "7000" })
    const client = await greeted(hostPort)
    await othersWerePaused()
    assert.strictEqual(await stateOf("w"), "running")
    client.destroy()
    await paused("w")
  })

  it("an attached shell keeps a workspace awake", async () => {
    const { shellId } = await call<{ readonly shellId: string }>("shell-open", { workspace: "w", command: ["cat"] })
    await call("shell-attach", { workspace: "w", shellId, input: "typed\r", until: "typed" })
    await othersWerePaused()
    assert.strictEqual(await stateOf("w"), "running")
    assert.strictEqual((await status("w")).shells, 1)
    await client.close()
    await paused("w")
  })

  it("a command that comes at any step of a pause runs, and keeps its memory", async () => {
    await sh("w", "echo kept > /dev/shm/page")
    for (const point of ["pause:folder", "pause:captured", "pause:handed-over", "pause:committed", "pause:settled"]) {
      let ran: Promise<string> | undefined
      await client.haltsAt(point, () => (ran = sh("w", "cat /dev/shm/page")))
      assert.strictEqual(await ran, "kept", point)
      assert.strictEqual(await stateOf("w"), "running", point)
    }
  })

  it("a client of a published port that comes at any step of a pause is served", async () => {
    await remove("w")
    await idle("w")
    const { hostPort } = await call<{ readonly hostPort: number }>("port-publish", { workspace: "w", port: "7000" })
    for (const point of ["pause:folder", "pause:captured", "pause:committed"]) {
      let end = ""
      await client.haltsAt(point, () => {
        connect(hostPort, "127.0.0.1").on("error", ({ code = "" }: NodeJS.ErrnoException) => end = code).on(
          "close",
          () => end ||= "end"
        )
      })
      await until("the refusal of the guest, which has no server", () => end !== "")
      assert.deepStrictEqual(
        eventsOf("resumed", await events("w")).length,
        eventsOf("paused", await events("w")).length,
        point
      )
    }
  })

  it("a failed pause leaves the workspace running, and stands in the events", async () => {
    const folder = path.join(client.state, "workspaces", (await status("w")).id, "paused")
    await sh("w", "echo kept > /dev/shm/page")
    await client.haltsAt("pause:folder", () => fs.rmSync(folder, { recursive: true }))
    await until("the event", async () => eventsOf("pause_failed", await events("w")).length > 0)
    assert.strictEqual(await stateOf("w"), "running")
    assert.strictEqual(await sh("w", "cat /dev/shm/page"), "kept")
    await othersWerePaused()
    assert.lengthOf(eventsOf("pause_failed", await events("w")), 1)
    assert.strictEqual(await stateOf("w"), "running")
  })

  it("the time is changed, forked and turned off, and a time to live goes on in a paused workspace", async () => {
    const seconds = async (name: string) =>
      (await call<{ readonly pauseAfterSeconds?: number }>("status", { workspace: name })).pauseAfterSeconds
    await create("agents", { ceiling: "off" })
    assert.strictEqual(await seconds("agents"), 3_600, "an agent host created it")
    await remove("agents")
    await call("update", { workspace: "w", pause_after_seconds: 3_000 })
    assert.strictEqual(await seconds("w"), 3_000)
    await call("fork", { workspace: "w", name: "fork", disk_only: true })
    assert.strictEqual(await seconds("fork"), 3_000)
    await call("update", { workspace: "fork", pause_after_seconds: 0 })
    assert.isUndefined(await seconds("fork"))
    await call("save", { workspace: "w", name: "saved", disk_only: true })
    await create("from", { from_snapshot: "saved", memory_mib: 1024, disk_mib: 16_384 })
    assert.strictEqual(await seconds("from"), 3_000)
    await call("save", { workspace: "w", name: "other", disk_only: true })
    const named = async () => (await call<ReadonlyArray<{ readonly name: string }>>("saved")).map((one) => one.name)
    const absent = await call("saved-delete", { names: ["saved", "none"] }).catch((cause: unknown) => String(cause))
    assert.include(absent as string, "none")
    assert.sameMembers(await named(), ["saved", "other"], "one unknown name, and nothing is deleted")
    await call("saved-delete", { names: ["saved", "other", "saved"] })
    assert.deepStrictEqual(await named(), [])
    await call("update", { workspace: "from", pause_after_seconds: 1, ttl_seconds: 3 })
    await until(
      "its deletion",
      async () => !(await call<ReadonlyArray<{ readonly name?: string }>>("list")).some((one) => one.name === "from")
    )
  })

  it("a paused workspace shows what goes on later", async () => {
    await exec("fork", "exec sleep 1000", { detach: true })
    await call("shell-open", { workspace: "fork", command: ["cat"] })
    await call("pause", { workspace: "fork" })
    const { running = [], shells } = await status("fork")
    assert.strictEqual(running.length, 1)
    assert.strictEqual(shells, 1)
  })
})
