import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import { stopProcesses } from "../support/lifecycle/rewind-fault-suite.ts"
import { rewindSteps } from "../support/lifecycle/rewind-steps.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { until } from "../support/pyro-cli.ts"
import { sanitizedBuild } from "./agent.ts"

describe("a rewind to points with memory over a local agent", { concurrent: false }, () => {
  const driver = localAgent(sanitizedBuild, { hasMemoryPoints: true })
  let client: WorkspacesClient
  const known = operations(() => client)
  const { call, create, exec, remove, sh, startProgram, status, vmProcess } = known
  const { history, rewind, settled, step } = rewindSteps(known)

  const settings = async (all: Readonly<Record<string, string>>) => {
    await client.close()
    for (const [name, value] of Object.entries(all)) client.setForNext(name, value)
  }
  const folder = async (workspace: string) => path.join(client.state, "workspaces", (await status(workspace)).id)
  const filesOf = async (workspace: string, ...names: ReadonlyArray<string>) =>
    fs.readdirSync(path.join(await folder(workspace), ...names))
  /** A file of the memory, and one of the disk. */
  const both = (text: string) => `echo ${text} > /dev/shm/page; echo ${text} > file`
  const pointsOf = async (workspace: string) =>
    (await filesOf(workspace, "points")).filter((name) => !name.startsWith("."))
  const stopGuest = async (workspace: string) => stopProcesses(vmProcess((await status(workspace)).id))
  const seen = "cat /dev/shm/page file"

  beforeAll(async () => {
    client = await driver.open()
    await settings({ PYRO_REWIND_MIB: "2048", PYRO_REWIND_EVERY_MS: "0" })
    await create("w")
  })
  afterAll(() => driver.close(client))

  it("a rewind brings back memory and disk, and goes forward again", async () => {
    await step("w", both("one"))
    const two = await step("w", both("two"))
    const { memory, redo, restarted, undone } = await rewind("w", { before: two })
    assert.isTrue(memory)
    assert.deepStrictEqual(restarted, [])
    assert.deepStrictEqual(undone.map(({ execId }) => execId), [two])
    assert.strictEqual(await sh("w", seen), "one\none")
    assert.isTrue((await rewind("w", { to: redo })).memory)
    assert.strictEqual(await sh("w", seen), "two\ntwo")
    await rewind("w", { before: two })
    assert.strictEqual(await sh("w", seen), "one\none", "a second return to one point")
  })

  it("the state before a rewind is captured once more only if something has used it since, or runs in it", async () => {
    await step("w", both("kept"))
    const last = async () => (await history("w")).points.at(-1)!.id
    const wrong = await step("w", both("idle"))
    const idle = await last()
    assert.strictEqual((await rewind("w", { before: wrong })).redo, idle)
    await rewind("w", { to: idle })
    assert.strictEqual(await sh("w", seen), "idle\nidle")

    const used = await step("w", both("used"))
    const before = await last()
    await call("mkdir", { workspace: "w", path: "/dev/shm/folder" })
    const { redo } = await rewind("w", { before: used })
    assert.notStrictEqual(redo, before)
    await rewind("w", { to: redo })
    assert.strictEqual(await sh("w", "ls -d /dev/shm/folder"), "/dev/shm/folder")

    const left = await step("w", `${both("left")}; sleep 1000 >/dev/null 2>&1 &`)
    const running = await last()
    assert.notStrictEqual((await rewind("w", { before: left })).redo, running)
  })

  it("the memory that the next return needs is made while the guest is idle, and goes with the microVM", async () => {
    await create("ahead")
    const ahead = path.join(await folder("ahead"), "points/.ahead")
    await step("ahead", both("one"))
    await step("ahead", both("two"))
    await until("the memory", () => Promise.resolve(fs.existsSync(ahead)))
    const made = fs.statSync(ahead).ino
    await rewind("ahead")
    assert.strictEqual(await sh("ahead", seen), "one\none")
    const memory = path.join(await folder("ahead"), "points", (await history("ahead")).points.at(-1)!.id, "mem")
    assert.strictEqual(fs.statSync(memory).ino, made)

    await step("ahead", both("three"))
    await step("ahead", both("four"))
    await until("the next memory", () => Promise.resolve(fs.existsSync(ahead)))
    await call("stop", { workspace: "ahead" })
    assert.isFalse(fs.existsSync(ahead))
    await remove("ahead")
  })

  it("points leave no layers in the workspace's own disk, and share an unchanged copy", async () => {
    for (let number = 0; number < 3; number++) await step("w", both(String(number)))
    const disks = (await filesOf("w")).filter((name) => name.startsWith("disk-"))
    assert.lengthOf((await filesOf("w", disks.at(-1)!)).filter((name) => name.endsWith(".qcow2")), 2)
    const program = await startProgram("w", "exec sleep 1000")
    await settled("w")
    await step("w", "cat file")
    const inodes = (await history("w")).points.slice(-2).map(async ({ id }) =>
      fs.statSync(path.join(await folder("w"), "points", id, "disk", "0.qcow2")).ino
    )
    assert.strictEqual(await inodes[0], await inodes[1])
    await call("cancel", { workspace: "w", exec_id: program })
  })

  it("commands that changed nothing are not undone with the one after them", async () => {
    await step("w", both("quiet"))
    for (let number = 0; number < 2; number++) await sh("w", "cat file")
    // A command that does not wait for a point does not wait for this look either.
    await until("a look at both", async () => (await history("w")).commands.at(-1)!.alsoUndone === 0)
    const { execId } = await exec("w", "rm file")
    await settled("w")
    const { undone } = await rewind("w")
    assert.deepStrictEqual(undone.map((one) => one.execId), [execId])
    assert.strictEqual(await sh("w", seen), "quiet\nquiet")
  })

  it("the first command waits for no point, and can be undone if the guest was idle before", async () => {
    await create("first")
    await settled("first")
    await sh("first", "echo first > first")
    const { undone } = await rewind("first")
    assert.lengthOf(undone, 1)
    assert.strictEqual(await sh("first", "ls"), "")
    await remove("first")
  })

  it("a command that ran at the point keeps its place in the history, and the last of its ends", async () => {
    await step("w", both("before"))
    const running = await startProgram("w", "exec sleep 1000")
    await settled("w")
    const after = await step("w", both("after"))
    await call("cancel", { workspace: "w", exec_id: running })
    const places = (await history("w")).commands.map(({ execId }) => execId)
    await rewind("w", { before: after })
    assert.deepStrictEqual((await history("w")).commands.map(({ execId }) => execId), places)
    // Memory of a local agent has no programs.
    const { commands } = await call<
      { readonly commands: ReadonlyArray<{ readonly execId: string; readonly outcome: string }> }
    >("logs", { workspace: "w" })
    assert.strictEqual(commands.find(({ execId }) => execId === running)!.outcome, "lost")
    assert.strictEqual(await sh("w", seen), "before\nbefore")
  })

  it("a fork begins with the memory of the moment before a command", async () => {
    await step("w", both("forked"))
    const wrong = await step("w", both("wrong"))
    await call("fork", { workspace: "w", name: "child", at: wrong })
    assert.strictEqual(await sh("child", `${seen}; cat /etc/hostname`), "forked\nforked\nchild")
    await call("fork", { workspace: "w", name: "files", at: wrong, disk_only: true })
    assert.strictEqual(await sh("files", "cat file; ls /dev/shm"), "forked")
    assert.strictEqual(await sh("w", seen), "wrong\nwrong")
    await remove("child")
    await remove("files")
  })

  it("a stopped workspace is rewound to memory, and back to the files that it had", async () => {
    const good = await step("w", both("good"))
    await step("w", both("bad"))
    await call("stop", { workspace: "w" })
    const { redo } = await rewind("w")
    assert.strictEqual(await sh("w", seen), "good\ngood")
    assert.isFalse((await rewind("w", { to: redo })).memory)
    assert.strictEqual(await sh("w", "cat file; ls /dev/shm"), "bad")
    assert.isString(good)
  })

  it("without a usable memory the disk alone comes back, and its services start again", async () => {
    await call("service-start", { workspace: "w", name: "kept", script: "echo up >> starts; exec sleep 1000" })
    await until("the service", async () => (await sh("w", "cat starts")) === "up")
    await step("w", both("served"))
    const wrong = await step("w", both("wrong"))
    const { point } = (await history("w")).commands.at(-1)!
    const record = path.join(await folder("w"), "points", point!, "record.json")
    fs.writeFileSync(record, JSON.stringify({ ...JSON.parse(fs.readFileSync(record, "utf8")), hostBoot: "another" }))
    const { ended, memory, restarted } = await rewind("w", { before: wrong })
    assert.isFalse(memory)
    assert.deepStrictEqual(ended, [], "a service that starts again has not ended")
    assert.deepStrictEqual(restarted, ["kept"])
    assert.strictEqual(await sh("w", "cat file; ls /dev/shm"), "served")
    await until("the service", async () => (await sh("w", "wc -l < starts")) === "2")
    await call("service-stop", { workspace: "w", name: "kept" })
  })

  it("a guest that does not answer is rewound to memory, and its files are kept", async () => {
    await step("w", both("answers"))
    const wrong = await step("w", both("silent"))
    await stopGuest("w")
    const { redo } = await rewind("w", { before: wrong })
    assert.strictEqual(await sh("w", seen), "answers\nanswers")
    assert.isFalse((await history("w")).points.find(({ id }) => id === redo)!.memory)
    await rewind("w", { to: redo })
    assert.strictEqual(await sh("w", "cat file"), "silent")
  })

  it("memory counts for the room of points, and the oldest points go", async () => {
    await settings({ PYRO_REWIND_MIB: "24" })
    for (let number = 0; number < 4; number++) {
      await step("w", `head -c 8000000 /dev/urandom > /dev/shm/page; echo ${number} > file`)
    }
    const { points: left } = await history("w")
    assert.isAtMost(left.length, 3)
    await until("the removal of the others", async () => (await pointsOf("w")).length === left.length)
    await settings({ PYRO_REWIND_MIB: "2048" })
  })
})
