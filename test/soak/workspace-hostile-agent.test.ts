import { assert, describe, it } from "@effect/vitest"
import { Effect, ManagedRuntime } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll } from "vitest"
import { Pyro } from "../../src/contract/rows/Pyro.ts"
import { layerDaemon } from "../../src/sdk/client.ts"
import { daemonCommand } from "../../src/sdk/daemon-command.ts"
import { rssOf, watchRss } from "../support/host/process-facts.ts"
import { recordSessions, writeSessions } from "../support/hostile/recording.ts"
import { ask, Ends, exec, requestsOf } from "../support/hostile/requests.ts"
import { startStorm } from "../support/hostile/storm.ts"
import { bytesBeneath, changedBetween, traceOf } from "../support/hostile/traces.ts"
import { installation } from "../support/installation.ts"
import { sharedCache } from "../support/own-cache.ts"
import { pyroPath, until } from "../support/pyro-cli.ts"
import { lapsed } from "../support/until.ts"

/** `PYRO_HOSTILE_SEED` repeats a storm; the frames of one and their order in time are decided by it, but for the daemon's own timing. */
const seed = Number(process.env["PYRO_HOSTILE_SEED"] ?? Date.now() % 1_000_000_000)
const frames = Number(process.env["PYRO_HOSTILE_FRAMES"] ?? 300_000)
const connections = Number(process.env["PYRO_HOSTILE_CONNECTIONS"] ?? 120)
const framesPerSecond = Number(process.env["PYRO_HOSTILE_RATE"] ?? 6_000)

const MIB = 1024 * 1024
/**
 * Storm before memory is first looked at: what the daemon loads and compiles once belongs to no frame. Most of the connections are over
 * by then: what the rest of them give back at their end could hide only so much of a growth.
 */
const warmUp = { frames: Math.ceil(frames / 4), connections: Math.ceil(connections * 0.8) }

const pyro = installation("pyro-hostile-", { env: { PYRO_POOL_MEMBERS: "0" } })
const { create, daemon, daemonPid, folder, json, list, sh, state } = pyro
afterAll(pyro.close)
process.env["PYRO_STATE_DIR"] = state

const [canary, outputs] = ["canary", "outputs"].map((name) => path.join(folder, name)) as [string, string]

const start = () => {
  const record = fs.readFileSync(path.join(state, "daemon", "daemon.json"), "utf8")
  const { version } = JSON.parse(record) as { readonly version: string }
  return { version, command: daemonCommand(pyroPath) }
}

const connected = () => ManagedRuntime.make(layerDaemon(start()))
type Connected = ReturnType<typeof connected>

const killDaemon = async () => {
  const pid = await daemonPid()
  process.kill(pid, "SIGKILL")
  await until("the daemon's end", async () => (await daemon()).pid !== pid)
}

/** Does all that there is to do in a workspace, through a recorder, with a daemon that dies in the middle. */
const record = async (id: string) => {
  const { vm } = JSON.parse(fs.readFileSync(path.join(state, "workspaces", id, "record.json"), "utf8")) as {
    vm: string
  }
  await killDaemon()
  const recording = await recordSessions(path.join(state, "vms", vm, "run", "p"))
  const ends = new Ends()
  const requests = requestsOf(outputs)
  for (const round of [1, 2, 3]) {
    await list()
    const runtime = connected()
    for (const name of Object.keys(requests)) await runtime.runPromise(ask(requests, name, id, ends))
    await json(["workspace", "exec", id, "--detach", "--", "sh", "-c", `echo ${round}; sleep 1; seq 1000; sleep 60`])
    await runtime.dispose()
    await killDaemon()
  }
  recording.close()
  assert.deepStrictEqual(ends.wrong, [])
  const sessions = path.join(folder, "sessions.json")
  writeSessions(sessions, recording.sessions)
  return { sessions, count: recording.sessions.reduce((sum, session) => sum + session.length, 0) }
}

/**
 * The storm comes in parts, each between two quiet times: other work of the host, which comes and goes, then weighs on both sides of the
 * comparison.
 */
const PARTS = 5

const p95 = (values: ReadonlyArray<number>) => [...values].sort((a, b) => a - b)[Math.floor(values.length * 0.95)]!

const median = (values: ReadonlyArray<number>) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!

/** How long commands of the healthy workspace take in ms, one after the other, until `enough`. */
const latencies = async (runtime: Connected, enough: (count: number) => boolean) => {
  const measured: Array<number> = []
  while (!enough(measured.length)) {
    const began = performance.now()
    await runtime.runPromise(Effect.flatMap(Pyro, ({ workspace }) => exec(workspace, "healthy", ["true"])))
    measured.push(performance.now() - began)
    await lapsed(20)
  }
  return measured
}

/** What the cache holds for good; seeds and templates come and go with whoever else uses it. */
const cacheListing = () =>
  ["", "environments", "kernels"].flatMap((name) =>
    fs.readdirSync(path.join(sharedCache, name)).map((one) => `${name}/${one}`)
  )
    .sort()

/** The least that it comes to within some seconds without work. */
const settledRss = async (pid: number) => {
  let least = Infinity
  for (let look = 0; look < 20; look++) {
    await lapsed(150)
    least = Math.min(least, rssOf(pid))
  }
  return least
}

describe("agents that are the enemy's, beside a workspace that is not", () => {
  it.live(
    "hostile agents cannot crash, grow or slow the daemon, or make it write elsewhere",
    () =>
      Effect.promise(async () => {
        console.log(`PYRO_HOSTILE_SEED=${seed}`)
        for (const directory of [canary, outputs]) fs.mkdirSync(directory)
        fs.writeFileSync(path.join(canary, "file"), "as it was\n")
        const source = path.join(folder, "source")
        fs.mkdirSync(source)
        fs.writeFileSync(path.join(source, "tracked.txt"), "one\ntwo\n")
        fs.writeFileSync(path.join(source, "removed.txt"), "gone\n")
        await create(["--name", "healthy"])
        const recorded = await create(["--name", "recorded", "--seed-path", source])
        await sh("recorded", "rm removed.txt; mkdir -p a/b; echo new > a/b/new; ln -s a link; seq 20000 > large.txt")
        const { count, sessions } = await record(recorded.id)

        // Its records are what the impostors' are made of; itself it is not needed any more.
        const storm = await startStorm(folder, {
          state,
          recorded: recorded.id,
          sessions,
          outside: canary,
          outputs,
          connections,
          framesPerSecond,
          seed
        })
        const own = new Set(storm.made.flatMap(({ vm, workspace }) => [vm, workspace]))
        await json(["workspace", "delete", "recorded"])
        const pid = await daemonPid()
        const healthy = (await list()).find(({ name }) => name === "healthy")!.id
        const runtime = connected()
        await latencies(runtime, (done) => done >= 50)
        const warm = await storm.send(warmUp.frames, warmUp.connections, start())

        const before = { rss: await settledRss(pid), folder: traceOf(folder), cache: cacheListing() }
        const began = performance.now()
        const watched = watchRss(pid)
        const quiet = [p95(await latencies(runtime, (done) => done >= 100))]
        const busy: Array<number> = []
        let samples = 0
        let report = warm
        let used = warmUp.connections
        for (let left = PARTS; left > 0; left--) {
          const some = Math.ceil((connections - used) / left)
          used += some
          let over = false
          const storming = storm.send(Math.ceil(Math.max(0, frames - report.mutated) / left), some, start())
            .finally(() => over = true)
          const during = await latencies(runtime, () => over)
          report = await storming
          samples += during.length
          busy.push(p95(during))
          quiet.push(p95(await latencies(runtime, (done) => done >= 100)))
        }
        const seconds = (performance.now() - began) / 1_000
        const most = watched.stop()
        const after = { rss: await settledRss(pid) }
        await runtime.dispose()
        console.log(JSON.stringify({
          seed,
          recordedFrames: count,
          ...report,
          wrong: report.wrong.length,
          lost: report.lost.length,
          seconds: Math.round(seconds),
          rssMib: [before.rss, most, after.rss].map((bytes) => Math.round(bytes / MIB)),
          execP95Ms: { quiet, busy, samples }
        }))

        assert.strictEqual((await daemon()).pid, pid, "the daemon is another one")
        assert.strictEqual(await sh("healthy", "echo answers"), "answers")
        assert.deepStrictEqual(report.wrong, [])
        assert.isAtLeast(report.mutated, frames)
        assert.strictEqual(report.kept, 0, "the daemon holds on to streams that a guest made up")
        assert.isAtMost(after.rss - before.rss, 32 * MIB)
        // The slack is what one command more on this host costs another.
        const excess = busy.map((ms, part) => ms - 2 * Math.max(quiet[part]!, quiet[part + 1]!))
        assert.isAtMost(median(excess), 10, JSON.stringify({ busy, quiet }))

        const isExpected = (file: string) => {
          const [top = "", ...rest] = path.relative(folder, file).split(path.sep)
          if (top === "outputs") return rest.length > 0
          if (top !== path.basename(state)) return false
          const [kind = "", id = "", ...below] = rest
          if (kind === "daemon") return true
          if (kind === "workspaces" && id === healthy) {
            return /^(activity|commands\.jsonl|logs(\/.*)?)$/.test(below.join("/"))
          }
          return own.has(id)
        }
        const changed = changedBetween(before.folder, traceOf(folder))
        assert.deepStrictEqual(changed.filter((file) => !isExpected(file)), [])
        assert.deepStrictEqual(cacheListing(), before.cache)
        assert.deepStrictEqual(fs.readdirSync(canary), ["file"])
        assert.strictEqual(fs.readFileSync(path.join(canary, "file"), "utf8"), "as it was\n")
        for (const { workspace } of storm.made) {
          assert.isBelow(bytesBeneath(path.join(state, "workspaces", workspace)), 64 * MIB)
        }
        const states = new Map((await list()).map(({ id, state }) => [id, state]))
        for (const id of report.lost) assert.strictEqual(states.get(id), "failed", id)
        assert.strictEqual(await storm.end(), 0)
      }),
    900_000
  )
})
