import { spawn } from "node:child_process"
import { once } from "node:events"
import * as path from "node:path"
import { text } from "node:stream/consumers"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { connect, type CreateOptions, type PyroClient } from "../../src/sdk/connect.ts"
import { sanitizedBuild } from "../agent/agent.ts"
import { startLocalDaemon } from "../support/local-agent/daemon.ts"
import { temporaryFolder, until } from "../support/pyro-cli.ts"
import { lapsed } from "../support/until.ts"

const program = path.resolve(import.meta.dirname, "../fixtures/holding-program.ts")

/** A program that lives until it is killed, with a workspace. */
const startProgram = async (options: CreateOptions) => {
  const child = spawn(process.execPath, [program, JSON.stringify(options), "stays"], {
    stdio: ["ignore", "pipe", "inherit"]
  })
  const [said] = await once(child.stdout, "data") as [Buffer]
  return {
    id: said.toString().trim(),
    signal: (signal: NodeJS.Signals) => child.kill(signal),
    kill: async () => {
      const ended = once(child, "exit")
      child.kill("SIGKILL")
      await ended
    }
  }
}

describe("workspaces of programs that die, over local agents", { concurrent: false }, () => {
  const { folder, remove } = temporaryFolder("pyro-kept-alive-")
  Object.assign(process.env, {
    PYRO_STATE_DIR: path.join(folder, "state"),
    PYRO_CACHE_DIR: path.join(folder, "cache"),
    PYRO_POOL_MEMBERS: "0"
  })
  let daemon: Awaited<ReturnType<typeof startLocalDaemon>>
  let pyro: PyroClient
  beforeAll(async () => {
    daemon = await startLocalDaemon(folder, sanitizedBuild, { ...process.env, PYRO_DAEMON_IDLE_MS: "600000" })
    pyro = connect({ startDaemon: false })
  })
  afterAll(async () => {
    for (const one of await pyro.list()) await one.delete()
    await pyro.close()
    await daemon.close()
    remove()
  })

  const stateOf = async (id: string) => (await pyro.get(id))?.info.state ?? "gone"
  const becomes = (id: string, state: string) =>
    until(`${id} becomes ${state}`, async () => (await stateOf(id)) === state)

  it("a living program keeps its workspace running, and that of a killed one is paused with its files", async () => {
    const held = await startProgram({ pauseAfterMs: 6_000, keepAlive: true })
    // It is younger, so the other one would be paused before it.
    const witness = await pyro.create({ pauseAfterMs: 6_000 })
    await becomes(witness.id, "paused")
    assert.strictEqual(await stateOf(held.id), "running")
    const ws = await pyro.get(held.id)
    await ws!.files.write("kept.txt", "kept")
    await held.kill()
    await becomes(held.id, "paused")
    assert.strictEqual(await ws!.files.readText("kept.txt"), "kept")
  }, 120_000)

  it("a living program keeps its workspace from its expiry, and that of a killed one is deleted", async () => {
    const held = await startProgram({ ttlMs: 6_000, keepAlive: true })
    const witness = await pyro.create({ ttlMs: 6_000 })
    await becomes(witness.id, "gone")
    assert.strictEqual(await stateOf(held.id), "running")
    await held.kill()
    await becomes(held.id, "gone")
  }, 120_000)

  it("a daemon and programs that were stopped for longer than the time keep the workspaces", async () => {
    const held = await Promise.all([
      startProgram({ pauseAfterMs: 6_000, keepAlive: true }),
      startProgram({ ttlMs: 6_000, keepAlive: true })
    ])
    // As a container that is paused. The daemon goes on first, and has no sign that waited.
    for (const { signal } of held) signal("SIGSTOP")
    process.kill(daemon.pid, "SIGSTOP")
    try {
      await lapsed(8_000)
    } finally {
      process.kill(daemon.pid, "SIGCONT")
    }
    await lapsed(1_500)
    for (const { signal } of held) signal("SIGCONT")
    // The times of these begin later, so the daemon has looked at the others often before.
    const witness = await pyro.create({ ttlMs: 3_000 })
    await becomes(witness.id, "gone")
    for (const { id } of held) assert.strictEqual(await stateOf(id), "running")
    for (const { kill } of held) await kill()
    await becomes(held[0].id, "paused")
    await becomes(held[1].id, "gone")
  }, 120_000)

  it("the workspace of a stopped program is paused, and the program keeps it again after the next use", async () => {
    const held = await startProgram({ pauseAfterMs: 6_000, keepAlive: true })
    held.signal("SIGSTOP")
    await becomes(held.id, "paused")
    held.signal("SIGCONT")
    const ws = await pyro.get(held.id)
    await ws!.files.write("kept.txt", "kept")
    const witness = await pyro.create({ pauseAfterMs: 6_000 })
    await becomes(witness.id, "paused")
    assert.strictEqual(await stateOf(held.id), "running")
    await held.kill()
    await becomes(held.id, "paused")
  }, 120_000)

  it("a workspace runs on while one of the programs that opened it lives", async () => {
    const options = { name: "shared", pauseAfterMs: 6_000, keepAlive: true }
    const first = await startProgram(options)
    const second = await startProgram(options)
    assert.strictEqual(second.id, first.id)
    await first.kill()
    const witness = await pyro.create({ pauseAfterMs: 6_000 })
    await becomes(witness.id, "paused")
    assert.strictEqual(await stateOf(second.id), "running")
    await second.kill()
    await becomes(second.id, "paused")
  }, 120_000)

  it("without options, the workspace is paused in time after the program, which its signs do not keep alive", async () => {
    const child = spawn(process.execPath, [program], { stdio: ["ignore", "pipe", "inherit"] })
    const id = (await text(child.stdout)).trim()
    const ws = await pyro.get(id)
    assert.strictEqual(ws!.info.pauseAfterSeconds, 600)
    const other = await pyro.create({ keepAlive: false })
    assert.notProperty(other.info, "pauseAfterSeconds")
  })
})
