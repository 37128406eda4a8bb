import { assert } from "@effect/vitest"
import { Effect, Exit, Option, Scope, Stream } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { newRequestId } from "../../src/system/processes/identity.ts"
import { AgentMessage, HostMessage } from "../support/guest-channel/guest-wire.ts"
import { Agent, processesMarked, until, withAgent } from "./agent.ts"
import { cutSessions } from "./cut-sessions.ts"
import { CuttingSocket } from "./cutting.ts"
import { openRaw } from "./raw.ts"
import { collect, launch } from "./run.ts"
import { openUnixSocket } from "./unix-socket.ts"

// test/soak/takeover.test.ts cuts at every byte.
cutSessions("taking over a session that is cut", { host: 7, agent: 61, again: 3 })

withAgent("taking over", (it) => {
  it.effect("a megabyte in and out, cut at any points, loses and repeats nothing", () =>
    Effect.gen(function*() {
      const { socketPath } = yield* Agent
      const env = yield* Agent.environment
      const large = Buffer.from(Array.from({ length: 1_000_000 }, (_, i) => (i * 31 + (i >> 9)) & 0xff))
      for (let i = 0; i < 12; i++) {
        const id = newRequestId()
        const log: Array<Uint8Array> = []
        let logged = 0
        let isOver = false
        const cuts = [{ toAgent: 131_400 + i * 70_001 }, { fromAgent: 500 + i * 60_013 }, {
          toAgent: 131_200 + i * 9_001
        }, {}]
        for (const cut of cuts) {
          if (isOver) break
          const open = Effect.map(openUnixSocket(socketPath), (socket) => new CuttingSocket(socket, cut))
          yield* Effect.scoped(Effect.gen(function*() {
            const channel = yield* GuestChannel.connect({ open, takeover: true })
            const adopted = yield* channel.adopt(id, { stdout: logged, stderr: 0 })
            const process = Option.isSome(adopted)
              ? adopted.value
              : yield* Effect.flatten(channel.launch({ id, argv: ["cat"], env, stdin: true, windowBytes: 100_000 }))
            const feeding = Effect.andThen(process.writeStdin(large.subarray(process.stdinOffset)), process.endStdin)
            const logging = Stream.runForEach(process.output, ({ bytes }) =>
              Effect.sync(() => {
                log.push(bytes)
                logged += bytes.length
              }))
            yield* Effect.all([feeding, logging], { concurrency: 2 })
            assert.strictEqual((yield* process.exit).code, 0)
            isOver = true
            yield* process.release
          })).pipe(
            Effect.catchTag("ChannelFailed", (failure) => cut === cuts.at(-1) ? Effect.die(failure) : Effect.void)
          )
        }
        assert.isTrue(Buffer.concat(log).equals(large), `session ${i}: ${logged} bytes`)
      }
    }), 120_000)

  it.effect("a takeover is answered at once, however much is sent again", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const first = yield* Scope.provide(Agent.connect(), scope)
      for (let i = 0; i < 40; i++) {
        const process = yield* launch(first, ["head", "-c", "60000", "/dev/zero"])
        yield* process.exit
      }
      yield* Scope.close(scope, Exit.void)
      for (let i = 0; i < 10; i++) {
        const again = yield* Effect.scoped(Effect.gen(function*() {
          const channel = yield* Agent.connect({ forget: false })
          yield* channel.call.ping({ payload: Buffer.from("still there") })
          return channel.hello.streams.length
        }))
        assert.strictEqual(again, 40)
      }
    }))

  it.effect("a takeover continues a terminal", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const first = yield* Scope.provide(Agent.connect(), scope)
      const pty = { rows: 24, cols: 80 }
      const process = yield* launch(first, ["sh", "-c", "echo up; read x; stty size; exit 6"], { pty, stdin: true })
      yield* Stream.runHead(process.output)
      yield* Scope.close(scope, Exit.void)
      const second = yield* Agent.connect({ forget: false })
      const adopted = Option.getOrThrow(yield* second.adopt(process.id, { stdout: 4, stderr: 0 }))
      yield* adopted.resize({ rows: 33, cols: 99 })
      yield* adopted.writeStdin(Buffer.from("\n"))
      const { exit, stdout } = yield* collect(adopted)
      assert.deepStrictEqual([stdout, exit.code], ["\r\n33 99\r\n", 6])
    }))

  it.effect("a takeover lists running processes, adopts them, and ends the rest", () =>
    Effect.gen(function*() {
      const { mark } = yield* Agent
      const scope = yield* Scope.make()
      const first = yield* Scope.provide(Agent.connect(), scope)
      const kept = yield* launch(first, ["sh", "-c", "echo before; read x; echo got $x"], { stdin: true })
      const dropped = yield* launch(first, ["sleep", "1000"])
      yield* Stream.runHead(kept.output)
      yield* Scope.close(scope, Exit.void)
      yield* until("both run", () => processesMarked(mark).length === 2)
      const second = yield* Agent.connect({ forget: false, keep: (id) => id === kept.id })
      assert.deepStrictEqual(second.hello.streams.map(({ id, opener, phase, pid }) => [id, opener, phase, pid]), [
        [kept.id, "spawn", "running", kept.pid]
      ])
      yield* until("what nobody wants is gone", () => !existsSync(`/proc/${dropped.pid}`))
      const adopted = Option.getOrThrow(yield* second.adopt(kept.id))
      yield* adopted.writeStdin(Buffer.from("it\n"))
      const { exit, stdout } = yield* collect(adopted)
      // Nobody had said that the first line was dealt with.
      assert.deepStrictEqual([stdout, exit.code], ["before\ngot it\n", 0])
    }))

  it.effect("a takeover reports a process that has ended, with all its output", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const first = yield* Scope.provide(Agent.connect(), scope)
      const process = yield* launch(first, ["sh", "-c", "echo out; echo err >&2; exit 9"])
      yield* process.exit
      yield* Scope.close(scope, Exit.void)
      const second = yield* Agent.connect({ forget: false })
      assert.deepStrictEqual(second.hello.streams.map(({ phase }) => phase), ["ended"])
      const adopted = Option.getOrThrow(yield* second.adopt(process.id))
      const { exit, stderr, stdout } = yield* collect(adopted)
      assert.deepStrictEqual([stdout, stderr, exit._tag, exit.code], ["out\n", "err\n", "exited", 9])
    }))

  it.effect("a takeover with forget leaves nothing running", () =>
    Effect.gen(function*() {
      const { mark } = yield* Agent
      const scope = yield* Scope.make()
      const first = yield* Scope.provide(Agent.connect(), scope)
      yield* launch(first, ["sh", "-c", "setsid sleep 1000 & sleep 1000"])
      yield* Scope.close(scope, Exit.void)
      const second = yield* Agent.connect()
      assert.deepStrictEqual(second.hello.streams, [])
      yield* until("nothing runs", () => processesMarked(mark).length === 0)
    }))

  it.effect("a command id runs once, however often it is requested", () =>
    Effect.gen(function*() {
      const { folder } = yield* Agent
      const raw = yield* openRaw
      const env = yield* Agent.environment
      const spawn = {
        id: Buffer.from(newRequestId(), "hex"),
        window: 65_536,
        flags: 0,
        rows: 0,
        cols: 0,
        user: "",
        cwd: "",
        argv: ["sh", "-c", `echo ran >> ${folder}/runs; exec sleep 1000`],
        env,
        memoryMax: 0,
        pidsMax: 0
      }
      raw.send(HostMessage.Spawn, 1, spawn)
      raw.send(HostMessage.Spawn, 2, spawn)
      const { pid } = yield* raw.frameFor(AgentMessage.Started, 1)
      const state = yield* raw.frameFor(AgentMessage.State, 1)
      assert.deepStrictEqual([state.pid, Buffer.compare(state.id, spawn.id)], [pid, 0])
      yield* until("it ran", () => existsSync(`${folder}/runs`) && readFileSync(`${folder}/runs`, "utf8") !== "")
      raw.send(HostMessage.Release, 1, {})
      raw.send(HostMessage.Spawn, 2, spawn)
      const refused = yield* raw.frameFor(AgentMessage.Failed, 2)
      assert.deepStrictEqual([refused.errno, refused.step], [17, 8])
      assert.strictEqual(readFileSync(`${folder}/runs`, "utf8"), "ran\n")
    }))
})
