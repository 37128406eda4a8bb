import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { localAgent } from "../support/lifecycle/local-agent.ts"
import { operations } from "../support/lifecycle/operations.ts"
import { rewindSteps } from "../support/lifecycle/rewind-steps.ts"
import type { WorkspacesClient } from "../support/lifecycle/workspaces-client.ts"
import { until } from "../support/pyro-cli.ts"
import { sanitizedBuild } from "./agent.ts"

describe("a rewind over a local agent", { concurrent: false }, () => {
  const driver = localAgent(sanitizedBuild)
  let client: WorkspacesClient
  const known = operations(() => client)
  const { call, create, exec, remove, sh, startProgram, status } = known
  const { history, rewind, settled, step } = rewindSteps(known)

  /** The next process has these settings. */
  const settings = async (all: Readonly<Record<string, string>>) => {
    await client.close()
    for (const [name, value] of Object.entries(all)) client.setForNext(name, value)
  }
  const failure = (work: Promise<unknown>) => work.then(() => "it succeeded", String)
  const folder = async (workspace: string) => path.join(client.state, "workspaces", (await status(workspace)).id)

  beforeAll(async () => {
    client = await driver.open()
    await settings({ PYRO_REWIND_MIB: "2048", PYRO_REWIND_EVERY_MS: "0" })
    await create("w")
  })
  afterAll(() => driver.close(client))

  it("the first command can be undone, though nothing ran before", async () => {
    // On a host that is slow to write, the command does not wait for the point.
    await settled("w")
    await sh("w", "echo first > first")
    const { undone } = await rewind("w")
    assert.lengthOf(undone, 1)
    assert.strictEqual(await sh("w", "ls"), "")
  })

  it("a rewind returns to the moment before a command, and names what it undid", async () => {
    await step("w", "echo one > file")
    const two = await step("w", "echo two > file; rm -f other")
    const three = await step("w", "rm file")
    const { redo, undone } = await rewind("w", { before: two.slice(0, 8) })
    assert.deepStrictEqual(undone.map(({ execId }) => execId), [two, three])
    assert.strictEqual(await sh("w", "cat file"), "one")
    const { commands } = await history("w")
    assert.deepStrictEqual(commands.filter((one) => one.undone).map(({ execId }) => execId).slice(-2), [two, three])
    assert.include(await failure(rewind("w", { before: two })), "undone already")
    // The output of an undone command stays.
    assert.include(
      (await call<{ readonly commands: ReadonlyArray<{ readonly execId: string }> }>("logs", { workspace: "w" }))
        .commands.map(({ execId }) => execId),
      three
    )
    await rewind("w", { to: redo })
    assert.strictEqual(await sh("w", "ls"), "")
    const { commands: after } = await history("w")
    assert.isFalse(after.find(({ execId }) => execId === two)!.undone, "a return to the state after it")
  })

  it("commands after a rewind are undone to the state after the rewind, and not to a state that was left", async () => {
    await step("w", "echo base > file")
    await step("w", "echo wrong > file")
    await rewind("w", { steps: 1 })
    await sh("w", "echo right > file")
    await rewind("w", { steps: 1 })
    assert.strictEqual(await sh("w", "cat file"), "base")
  })

  it("commands without a point between them are undone together, and the answer says so", async () => {
    await settings({ PYRO_REWIND_EVERY_MS: "3600000" })
    try {
      // Five looks in a row are allowed.
      for (let number = 0; number < 6; number++) await sh("w", `echo ${number} > looked`)
      const [before, last] = [await exec("w", "echo a > a"), await exec("w", "echo b > b")]
      const { commands } = await history("w")
      assert.strictEqual(commands.at(-1)!.alsoUndone, commands.at(-2)!.alsoUndone! + 1)
      const { undone } = await rewind("w", { steps: 1 })
      assert.deepStrictEqual(undone.slice(-2).map(({ execId }) => execId), [before.execId, last.execId])
      assert.strictEqual(await sh("w", "ls a b 2>&1 | wc -l"), "2")
    } finally {
      await settings({ PYRO_REWIND_EVERY_MS: "0" })
    }
  })

  it("commands that changed nothing are not undone with the one after them", async () => {
    await step("w", "echo quiet > quiet")
    for (let number = 0; number < 2; number++) await sh("w", "cat quiet")
    const { execId } = await exec("w", "rm quiet")
    const { undone } = await rewind("w")
    assert.deepStrictEqual(undone.map((one) => one.execId), [execId])
    assert.strictEqual(await sh("w", "cat quiet"), "quiet")
  })

  it("the history marks the commands that a rewind does not count", async () => {
    const id = await step("w", "echo counted > counted")
    await sh("w", "cat counted")
    await sh("w", "ls && cat counted")
    const { commands } = await history("w")
    const steps = commands.filter(({ changedNothing, undone }) => !undone && changedNothing !== true)
    assert.strictEqual(steps.at(-1)!.execId, id)
    const { undone } = await rewind("w")
    assert.deepStrictEqual(undone.map((one) => one.changedNothing), [undefined, true, true])
    assert.strictEqual(undone[0]!.execId, id)
  })

  it("a command that comes while a point is made is no part of it", async () => {
    await step("w", "echo before > gate")
    await sh("w", "echo changed > gate")
    let late: Promise<string> | undefined
    await client.haltsAt("point:layer", () => (late = sh("w", "echo late > gate")))
    await late
    const { undone } = await rewind("w")
    assert.lengthOf(undone, 1)
    assert.strictEqual(await sh("w", "cat gate"), "changed")
  })

  it("a rewind ends what runs, starts services of the point again, and removes later ones", async () => {
    await call("service-start", {
      workspace: "w",
      name: "kept",
      script: "echo up >> /workspace/starts; exec sleep 1000"
    })
    await step("w", "echo with > service")
    const to = (await history("w")).points.at(-1)!.id
    await call("service-start", { workspace: "w", name: "later", script: "exec sleep 1000" })
    await step("w", "echo broken > service")
    const running = await startProgram("w", "exec sleep 1000")
    const { shellId } = await call<{ readonly shellId: string }>("shell-open", { workspace: "w" })
    const { ended, restarted } = await rewind("w", { to })
    assert.deepStrictEqual(restarted, ["kept"])
    assert.sameDeepMembers(ended.map(({ id, kind }) => ({ id, kind })), [
      { kind: "command", id: running },
      { kind: "service", id: "later" },
      { kind: "shell", id: shellId }
    ])
    assert.include(ended.find(({ id }) => id === running)!.command, "exec sleep 1000")
    const services = await call<ReadonlyArray<{ readonly name: string; readonly state: string }>>("service-list", {
      workspace: "w"
    })
    assert.deepStrictEqual(services.map(({ name }) => name), ["kept"])
    await until("the service", async () => (await sh("w", "cat starts | wc -l")) === "2")
    assert.strictEqual(await sh("w", "cat service"), "with")
    const { commands } = await call<
      { readonly commands: ReadonlyArray<{ readonly execId: string; readonly outcome: string }> }
    >(
      "logs",
      { workspace: "w" }
    )
    assert.strictEqual(commands.find(({ execId }) => execId === running)!.outcome, "lost")
    await call("service-stop", { workspace: "w", name: "kept" })
  })

  it("published ports and policies stay, and are named", async () => {
    await step("w", "echo port > port")
    await call("port-publish", { workspace: "w", port: "7001" })
    const { keptEffects } = await rewind("w", { steps: 1 })
    assert.include(keptEffects.join("\n"), "published port 7001")
    assert.lengthOf((await status("w")).ports!, 1)
  })

  it("a fork begins at the moment before a command", async () => {
    await step("w", "echo before > forked")
    const wrong = await step("w", "echo after > forked")
    await call("fork", { workspace: "w", name: "child", at: wrong })
    assert.strictEqual(await sh("child", "cat forked; cat /etc/hostname"), "before\nchild")
    assert.strictEqual(await sh("w", "cat forked"), "after")
    await remove("child")
  })

  it("a stopped and a paused workspace are rewound, and run then", async () => {
    for (const rest of ["stop", "pause"] as const) {
      await step("w", "echo good > state")
      await step("w", "echo bad > state")
      await call(rest, { workspace: "w" })
      await rewind("w")
      assert.strictEqual(await sh("w", "cat state"), "good", rest)
      assert.strictEqual((await status("w")).state, "running")
    }
  })

  it("the ring keeps the last 20 points, and says which commands have none left", async () => {
    await create("ring")
    const first = await step("ring", "echo 0 > n")
    for (let number = 1; number <= 22; number++) await step("ring", `echo ${number} > n`)
    const { commands, points } = await history("ring")
    assert.lengthOf(points, 20)
    assert.notProperty(commands[0], "point")
    assert.deepStrictEqual(commands.slice(0, 2).map(({ byReset }) => byReset), [true, undefined])
    assert.include(await failure(rewind("ring", { before: first })), "are gone")
    assert.lengthOf(fs.readdirSync(path.join(await folder("ring"), "points")), 20, "no other folder is left")
    await rewind("ring", { steps: 15 })
    assert.strictEqual(await sh("ring", "cat n"), "7")
  })

  it("the chain of layers is merged while points are made, and each point keeps its files", async () => {
    await settings({ PYRO_FLATTEN_AT: "3" })
    await create("long")
    for (let number = 0; number < 12; number++) await step("long", `echo ${number} > f${number}`)
    const disks = fs.readdirSync(await folder("long")).filter((name) => name.startsWith("disk-"))
    const layers = fs.readdirSync(path.join(await folder("long"), disks.at(-1)!)).filter((name) =>
      name.endsWith(".qcow2")
    )
    assert.isAtMost(layers.length, 8)
    await rewind("long", { steps: 9 })
    assert.strictEqual(await sh("long", "ls | sort | tr '\\n' ' '"), "f0 f1 f2")
    await remove("long")
    await client.close()
    client.setForNext("PYRO_FLATTEN_AT")
  })

  it("a reset forgets the points, and the first command after it can be undone at once", async () => {
    const before = (await history("ring")).points.map(({ id }) => id)
    await call("reset", { workspace: "ring" })
    const { execId } = await exec("ring", "echo first > first")
    const { points } = await history("ring")
    assert.isEmpty(points.filter(({ id }) => before.includes(id)))
    const { undone } = await rewind("ring")
    assert.deepStrictEqual(undone.map((one) => one.execId), [execId])
    assert.strictEqual(await sh("ring", "ls"), "")
  })

  it("a workspace without a budget makes no points", async () => {
    await call("reset", { workspace: "ring" })
    await settings({ PYRO_REWIND_MIB: "0" })
    fs.rmSync(path.join(await folder("ring"), "points"), { recursive: true, force: true })
    await sh("ring", "echo x > x")
    assert.deepStrictEqual((await history("ring")).points, [])
    assert.include(await failure(rewind("ring")), "no point was made yet")
    await settings({ PYRO_REWIND_MIB: "2048" })
  })
})
