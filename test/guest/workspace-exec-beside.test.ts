import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { layer as behindItsDaemon } from "../../src/sdk/installed.ts"
import { makePromises, type PyroPromises } from "../../src/sdk/promises.ts"
import { installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { lapsed } from "../support/until.ts"

const own = installation("pyro-beside-")
const before = process.env["PYRO_STATE_DIR"]
let pyro: PyroPromises
beforeAll(async () => {
  process.env["PYRO_STATE_DIR"] = own.state
  pyro = makePromises(behindItsDaemon)
  await own.create(["--name", "w"])
})
afterAll(async () => {
  await pyro.close()
  if (before === undefined) delete process.env["PYRO_STATE_DIR"]
  else process.env["PYRO_STATE_DIR"] = before
  await own.close()
})

/** Enough for the whole time of the work. More would only wait for each other on a busy host. */
const mostCommands = 40

/** Starts a command every 15 ms until the work is done, and some after it; how each ended. */
const commandsBeside = async (work: Promise<unknown>) => {
  let isDone = false
  const over = work.finally(() => {
    isDone = true
  })
  const commands: Array<Promise<string>> = []
  while (commands.length < 4 || (!isDone && commands.length < mostCommands)) {
    commands.push(
      pyro.workspace.exec({ workspace: "w", command: ["echo", String(commands.length)] }).then(({ stdout }) => stdout)
    )
    await lapsed(15)
  }
  await over
  return Promise.all(commands)
}

const inOrder = (count: number) => Array.from({ length: count }, (_, number) => `${number}\n`)

describe("commands that are asked for while the workspace is paused", () => {
  it.each(
    [
      ["a snapshot", (name: string) => pyro.workspace.snapshot.create({ workspace: "w", name })],
      ["a fork", (name: string) => pyro.workspace.fork({ workspace: "w", name })]
    ] as const
  )("commands requested during %s run at once when the workspace goes on", async (_, work) => {
    const startedAt = performance.now()
    // A second attempt needs another name.
    const told = await commandsBeside(work(`at-${Math.round(startedAt)}`))
    assert.deepStrictEqual(told, inOrder(told.length))
    // It was 20 s, until it was given up.
    assert.isBelow(performance.now() - startedAt, 15_000)
    assert.strictEqual((await pyro.workspace.status({ workspace: "w" })).state, "running")
  })
})

describe("a reset to a snapshot", () => {
  it("a reset to a snapshot takes over the snapshot's running commands", async () => {
    const exec = (script: string) => pyro.workspace.exec({ workspace: "w", script })
    await exec("mkdir /root/p; for i in $(seq 20); do mkfifo /root/p/$i; done")
    for (let number = 1; number <= 20; number++) {
      await pyro.workspace.exec({
        workspace: "w",
        script: `exec 3<>/root/p/${number}; read -u 3 word; echo $word; [ $word = new ] || exit 7; exit 9`,
        detach: true
      })
    }
    await pyro.workspace.snapshot.create({ workspace: "w", name: "waiting" })
    // Ends one after the other, before, while and after it is left behind.
    await pyro.workspace.exec({
      workspace: "w",
      script: "sleep 0.3; for i in $(seq 20); do echo old > /root/p/$i; sleep 0.02; done",
      detach: true
    })
    await pyro.workspace.reset({ workspace: "w", snapshot: "waiting" })
    await lapsed(1_000)
    const running = async () =>
      (await pyro.workspace.logs({ workspace: "w" })).commands.filter(({ outcome }) => outcome === "running")
    const ids = (await running()).map(({ execId }) => execId)
    assert.strictEqual(ids.length, 20)
    await exec("for i in $(seq 20); do echo new > /root/p/$i; done")
    await until("their end", async () => (await running()).length === 0)
    for (const execId of ids) {
      const { outcome, status, stdout } = await pyro.workspace.exec({ workspace: "w", command: [], execId })
      assert.deepStrictEqual([outcome, status, stdout], ["exited", 9, "new\n"])
    }
  })

  it("a reset to a snapshot leaves no open or old log file of commands", async () => {
    const pid = await own.daemonPid()
    const { id } = await pyro.workspace.status({ workspace: "w" })
    const logs = path.join(own.state, "workspaces", id, "logs")
    const open = () =>
      fs.readdirSync(`/proc/${pid}/fd`).filter((fd) => {
        try {
          return fs.readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith(logs)
        } catch {
          return false
        }
      })
    for (let round = 0; round < 3; round++) {
      for (let printing = 0; printing < 3; printing++) {
        await pyro.workspace.exec({ workspace: "w", script: "while :; do echo xxxxxxxx; done", detach: true })
      }
      await pyro.workspace.reset({ workspace: "w" })
    }
    await until(
      "the VMs before are gone",
      async () =>
        (await own.daemon()).vms.every(({ purpose, workspace }) => purpose !== "workspace" || workspace !== undefined)
    )
    assert.deepStrictEqual(open(), [])
    assert.deepStrictEqual(fs.readdirSync(logs), [])
  })
})

describe("a guest that starts nothing any more", () => {
  it("a guest that starts no command delays no caller beyond its deadline, and a reset repairs it", async () => {
    await own.create(["--name", "stuck"])
    const freeze = "cd /sys/fs/cgroup; mkdir own; echo $$ > own/cgroup.procs; echo 1 > pyro/cgroup.freeze; " +
      "until grep -q 'frozen 1' pyro/cgroup.events; do :; done; echo > /workspace/frozen; sleep 100000"
    await pyro.workspace.exec({ workspace: "stuck", script: freeze, detach: true })
    await until(
      "the frozen control group",
      async () => (await own.call(["workspace", "file", "read", "stuck", "frozen"])).code === 0
    )
    const startedAt = performance.now()
    const { outcome } = await pyro.workspace.exec({ workspace: "stuck", command: ["true"], waitSeconds: 1 })
    assert.strictEqual(outcome, "running")
    const failure = await pyro.workspace.exec({ workspace: "stuck", command: ["true"], timeoutSeconds: 1 }).then(
      () => undefined,
      (cause: unknown) => cause
    )
    assert.deepInclude(failure, { _tag: "ChannelFailed" })
    assert.isBelow(performance.now() - startedAt, 15_000)
    await pyro.workspace.reset({ workspace: "stuck" })
    assert.strictEqual((await pyro.workspace.exec({ workspace: "stuck", command: ["echo", "back"] })).stdout, "back\n")
  })
})
