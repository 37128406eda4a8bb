import { assert } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { spawn } from "node:child_process"
import { randomUUID } from "node:crypto"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { Programs } from "../../src/lib/guest-channel/model/calls.ts"
import { Agent, asRoot, guestBuild, until, withGuestBuild } from "./agent.ts"
import { collect, run, sh, start } from "./run.ts"

const read = (file: string) => {
  try {
    return readFileSync(file, "latin1")
  } catch {
    return "" // gone meanwhile
  }
}

/** Children of an agent that wait for a command. */
const sparesOf = (agent: number) =>
  readdirSync("/proc").filter((pid) => /^\d+$/.test(pid)).flatMap((pid) => {
    const [, name, state, parent] = /^\d+ \((.*)\) (\S) (\d+) /.exec(read(`/proc/${pid}/stat`)) ?? []
    return name === "pyro-next" && state !== "Z" && Number(parent) === agent ? [Number(pid)] : []
  })

/** The child that waits: after the second command there is always one. */
const spare = (channel: GuestChannel) =>
  Effect.gen(function*() {
    yield* run(channel, ["true"])
    yield* run(channel, ["true"])
    const { pid } = yield* Agent
    yield* until("a spare child", () => sparesOf(pid).length === 1)
    return sparesOf(pid)[0]!
  })

const pidOf = (channel: GuestChannel) => Effect.map(sh(channel, "echo $$"), ({ stdout }) => Number(stdout))

withGuestBuild("a child that waits for the next command", (it) => {
  it.effect("the waiting process becomes the next command, and another one waits", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const first = yield* spare(channel)
      assert.strictEqual(yield* pidOf(channel), first)
      const second = yield* spare(channel)
      assert.notStrictEqual(second, first)
    }))

  it.effect("a guest in which it waits has no program; a command is one of the host, and its remaining child is left", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const programs = channel.call.programs({})
      yield* spare(channel)
      assert.strictEqual(yield* programs, 0)
      const reader = yield* start(channel, ["cat"], { stdin: true })
      assert.strictEqual(yield* programs, Programs.own)
      yield* reader.endStdin
      yield* collect(reader)
      yield* spare(channel)
      assert.strictEqual(yield* programs, 0)
      const { stdout } = yield* sh(channel, "setsid sleep 1000 >/dev/null 2>&1 & echo $!")
      assert.strictEqual(yield* programs, Programs.left)
      yield* sh(channel, `kill ${stdout}`)
      yield* spare(channel)
      yield* Effect.repeat(programs, { until: (one) => one === 0, times: 1000 })
      assert.strictEqual(yield* programs, 0)
    }))

  it.effect("the waiting process does not serve commands with input or a terminal", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const waits = yield* spare(channel)
      const reader = yield* start(channel, ["cat"], { stdin: true })
      yield* reader.writeStdin(Buffer.from("given"))
      yield* reader.endStdin
      assert.strictEqual((yield* collect(reader)).stdout, "given")
      const screen = yield* start(channel, ["tty"], { pty: { rows: 24, cols: 80 } })
      assert.match((yield* collect(screen)).stdout, /^\/dev\/pts\//)
      assert.strictEqual(yield* pidOf(channel), waits)
    }))

  it.effect("the waiting process holds no input of an earlier command open", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const reader = yield* start(channel, ["cat"], { stdin: true })
      const output = yield* Effect.forkChild(collect(reader))
      const old = yield* spare(channel)
      assert.strictEqual(yield* pidOf(channel), old)
      const waits = yield* spare(channel)
      yield* until("its descriptors", () => readdirSync(`/proc/${waits}/fd`).join() === "0,1,2")
      yield* reader.endStdin
      assert.strictEqual((yield* Fiber.join(output)).exit.code, 0)
    }))

  it.effect("commands run without a killed waiting process", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const killed = yield* spare(channel)
      process.kill(killed, "SIGKILL")
      assert.notStrictEqual(yield* pidOf(channel), killed)
      const next = yield* spare(channel)
      assert.strictEqual(yield* pidOf(channel), next)
    }))

  it.effect("commands run without a stopped waiting process, which ends", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const stopped = yield* spare(channel)
      process.kill(stopped, "SIGSTOP")
      assert.notStrictEqual(yield* pidOf(channel), stopped)
      yield* until("it is gone", () => !existsSync(`/proc/${stopped}`))
      const next = yield* spare(channel)
      assert.strictEqual(yield* pidOf(channel), next)
    }))

  it.effect("the waiting process passes on no signal that it received", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const waits = yield* spare(channel)
      for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGUSR1"] as const) process.kill(waits, signal)
      const { exit, stdout } = yield* sh(channel, "echo $$; cat /proc/self/status")
      assert.deepStrictEqual([exit._tag, exit.code], ["exited", 0])
      assert.match(stdout, new RegExp(`^${waits}\n`))
      assert.match(stdout, /^SigPnd:\s0+$/m)
      assert.match(stdout, /^ShdPnd:\s0+$/m)
    }))

  it.effect("a waiting process that cannot start the command reports the error, and the next one starts", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      yield* spare(channel)
      assert.strictEqual((yield* Effect.flip(run(channel, ["no-such-command"])))._tag, "CommandNotFound")
      yield* spare(channel)
      const missing = yield* Effect.flip(run(channel, ["true"], { cwd: "/no/such/directory" }))
      assert.deepStrictEqual([missing._tag, "step" in missing && missing.step], ["CommandNotStarted", "cwd"])
      const waits = yield* spare(channel)
      assert.strictEqual(yield* pidOf(channel), waits)
    }))

  it.effect("the waiting process is killed with its command", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const waits = yield* spare(channel)
      const sleeper = yield* start(channel, ["sleep", "1000"])
      assert.strictEqual(sleeper.pid, waits)
      yield* sleeper.kill
      assert.deepStrictEqual([(yield* sleeper.exit)._tag, (yield* sleeper.exit).code], ["signaled", 9])
    }))

  it.effect("the waiting process ends with a killed agent", () =>
    Effect.gen(function*() {
      const { folder } = yield* Agent
      const [command, ...args] = asRoot(guestBuild)
      const socketPath = join(folder, `${randomUUID()}.sock`)
      const agent = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(command, [...args, "--listen", socketPath], { env: {}, stdio: "ignore" })),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      yield* until("its socket", () => existsSync(socketPath))
      const channel = yield* Agent.connect({ socketPath })
      const waits = yield* Effect.provideService(spare(channel), Agent, {
        ...(yield* Agent),
        pid: agent.pid!
      })
      agent.kill("SIGKILL")
      yield* until("its child is gone", () => !existsSync(`/proc/${waits}`))
    }))
})
