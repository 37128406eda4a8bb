import { assert } from "@effect/vitest"
import { Effect, Exit, Fiber, Scope, Stream } from "effect"
import { existsSync } from "node:fs"
import { hostname } from "node:os"
import { Agent, processesMarked, until, withAgent, withGuestBuild } from "./agent.ts"
import { collect, run, sh, start } from "./run.ts"

/** A process, its child, and a child in another session. Each prints its name at USR1, and ends with 4 at TERM. */
const FAMILY = `import os, signal, time
name = "main"
if os.fork() == 0: name = "child"
elif os.fork() == 0:
  name = "session"
  os.setsid()
def say(*_): os.write(1, (name + "\\n").encode())
signal.signal(signal.SIGUSR1, say)
signal.signal(signal.SIGTERM, lambda *_: os._exit(4))
os.write(1, b"ready\\n")
while True: time.sleep(0.02)`

for (const [build, suite] of [["sanitized", withAgent], ["guest's", withGuestBuild]] as const) {
  suite(`processes of the ${build} build`, (it) => {
    it.effect("a process returns every exit status", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        for (const code of [0, 1, 7, 126, 127, 128, 255]) {
          const { exit } = yield* sh(channel, `exit ${code}`)
          assert.deepStrictEqual([exit._tag, exit.code], ["exited", code])
          assert.isAbove(exit.durationMs, 0)
        }
      }))

    it.effect("a process that dies of a signal reports the signal", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        for (const signal of [1, 2, 6, 9, 13, 15]) {
          const { exit } = yield* sh(channel, `kill -${signal} $$`)
          assert.deepStrictEqual([exit._tag, exit.code], ["signaled", signal])
        }
      }))

    it.effect("a process gets its arguments, directory and environment, and default ids", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const { folder, mark } = yield* Agent
        const argv = [
          "sh",
          "-c",
          "pwd; env; for a; do printf '[%s]' \"$a\"; done",
          "sh",
          "",
          "a b",
          "ü",
          "--help",
          "*"
        ] as const
        const { stdout } = yield* run(channel, argv, { cwd: folder, env: ["PATH=/usr/bin:/bin", "A=", "B=x=y", mark] })
        const lines = stdout.split("\n")
        assert.strictEqual(lines[0], folder)
        assert.strictEqual(Buffer.from(lines.at(-1) ?? "", "latin1").toString(), "[][a b][ü][--help][*]")
        const environment = lines.slice(1, -1).filter((line) => !/^(PWD|_|SHLVL|OLDPWD)=/.test(line)).sort()
        assert.deepStrictEqual(
          environment,
          [
            "A=",
            "B=x=y",
            "HOME=/root",
            `HOSTNAME=${hostname()}`,
            "LOGNAME=root",
            "PATH=/usr/bin:/bin",
            mark,
            "USER=root"
          ]
        )
        const { stdout: own } = yield* sh(channel, "echo $HOME $HOSTNAME", { env: ["HOME=/elsewhere", "HOSTNAME=own"] })
        assert.strictEqual(own, "/elsewhere own\n")
      }))

    it.effect("stdout and stderr that are one pipe keep the order in which a command writes, also for a waiting process", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const script = "for i in $(seq 1 300); do echo $i; echo $i >&2; done; exit 3"
        const lines = Array.from({ length: 300 }, (_, at) => `${at + 1}\n${at + 1}\n`).join("")
        for (let round = 0; round < 4; round++) {
          const { exit, stderr, stdout } = yield* sh(channel, script, { mergesOutput: true })
          assert.deepStrictEqual([exit.code, stdout === lines, stderr], [3, true, ""])
          assert.strictEqual((yield* sh(channel, "echo out; echo err >&2")).stderr, "err\n")
        }
        const { stdout } = yield* sh(channel, "cat; echo end >&2", { mergesOutput: true, stdin: false })
        assert.strictEqual(stdout, "end\n")
      }))

    it.effect("a process starts in its own session, without blocked signals, with umask 022", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const { stdout } = yield* run(channel, ["cat", "/proc/self/status", "/proc/self/stat"])
        assert.match(stdout, /^Umask:\s0022$/m)
        assert.match(stdout, /^SigBlk:\s0+$/m)
        assert.match(stdout, /^SigIgn:\s0+$/m)
        const [pid, , , group, session] = (/^(\d+) \(cat\) (.*)$/m.exec(stdout) ?? []).slice(1).join(" ").split(" ")
        assert.deepStrictEqual([group, session], [pid, pid])
      }))

    it.effect("a process runs as the requested user", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const { stdout: owner } = yield* run(channel, ["stat", "-c", "%u", "/dev/null"])
        assert.strictEqual((yield* run(channel, ["id", "-u"], { user: "nobody" })).stdout, "65534\n")
        assert.strictEqual((yield* sh(channel, "id -u; id -g", { user: "1234:5678" })).stdout, "1234\n5678\n")
        // Also in the process that waits for a command, which there is from the second one on.
        for (let round = 0; round < 3; round++) {
          const script = "echo out >/dev/stdout; echo err >/dev/stderr; cat /dev/stdin"
          const { stderr, stdout } = yield* sh(channel, script, { user: "nobody" })
          assert.deepStrictEqual([stdout, stderr], ["out\n", "err\n"])
        }
        assert.strictEqual((yield* run(channel, ["stat", "-c", "%u", "/dev/null"])).stdout, owner)
        const unknown = yield* Effect.flip(run(channel, ["id"], { user: "nobody-of-that-name" }))
        assert.deepStrictEqual([unknown._tag, "step" in unknown && unknown.step], ["CommandNotStarted", "user"])
      }))

    it.effect("a process that cannot start reports the reason, and that nothing ran", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const { folder } = yield* Agent
        const fails = (argv: readonly [string, ...ReadonlyArray<string>], cwd = "/") =>
          Effect.flip(run(channel, argv, { cwd }))
        assert.strictEqual((yield* fails(["no-such-command"]))._tag, "CommandNotFound")
        assert.strictEqual((yield* fails(["/no/such/command"]))._tag, "CommandNotFound")
        assert.strictEqual((yield* fails(["/etc/passwd"]))._tag, "CommandNotExecutable")
        assert.strictEqual((yield* fails([folder]))._tag, "CommandNotExecutable")
        const missing = yield* fails(["true"], "/no/such/directory")
        assert.deepStrictEqual([missing._tag, "step" in missing && missing.step], ["CommandNotStarted", "cwd"])
        assert.strictEqual((yield* fails([""]))._tag, "CommandNotFound")
      }))

    it.effect("a process gets its whole stdin and the end", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const input = Buffer.from(Array.from({ length: 3_000_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff))
        const process = yield* start(channel, ["cat"], { stdin: true })
        const writing = Effect.gen(function*() {
          for (let at = 0, size = 1; at < input.length; at += size, size = Math.min(size * 3, 300_000)) {
            yield* process.writeStdin(input.subarray(at, at + size))
          }
          yield* process.endStdin
        })
        const [, { exit, stdout }] = yield* Effect.all([writing, collect(process)], { concurrency: 2 })
        assert.isTrue(Buffer.from(stdout, "latin1").equals(input))
        assert.strictEqual(exit.code, 0)
      }))

    it.effect("a process without stdin reads nothing, and a process that does not read does not block its writer", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        assert.deepStrictEqual((yield* sh(channel, "cat; echo end")).stdout, "end\n")
        const deaf = yield* start(channel, ["sh", "-c", "exec <&-; sleep 0.2"], { stdin: true })
        const [, { exit }] = yield* Effect.all([deaf.writeStdin(Buffer.alloc(1_000_000)), collect(deaf)], {
          concurrency: 2
        })
        assert.strictEqual(exit.code, 0)
      }))

    it.effect("a process keeps stdout and stderr apart and in order", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const script = "for i in 1 2 3 4 5; do echo out $i; sleep 0.02; echo err $i >&2; sleep 0.02; done"
        const process = yield* start(channel, ["sh", "-c", script])
        const order: Array<string> = []
        yield* Stream.runForEach(process.output, ({ bytes, from }) =>
          Effect.sync(() => order.push(`${from} ${Buffer.from(bytes).toString()}`)))
        assert.deepStrictEqual(order, [1, 2, 3, 4, 5].flatMap((i) => [`stdout out ${i}\n`, `stderr err ${i}\n`]))
      }))

    it.effect("killing a process kills its children", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const { mark } = yield* Agent
        const before = processesMarked(mark).length
        const script =
          "setsid sh -c 'trap \"\" TERM HUP; sleep 1000 & sleep 1000' & (sleep 1000 & sleep 1000) & echo up; sleep 1000"
        const process = yield* start(channel, ["sh", "-c", script])
        yield* Stream.runHead(process.output)
        yield* until("the whole tree", () => processesMarked(mark).length >= before + 6)
        yield* process.kill
        assert.deepStrictEqual([(yield* process.exit)._tag, (yield* process.exit).code], ["signaled", 9])
        yield* until("nothing left of it", () => processesMarked(mark).length === before)
      }))

    it.effect("closing the scope kills a process and its children", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const { mark } = yield* Agent
        const scope = yield* Scope.make()
        const process = yield* Scope.provide(
          start(channel, ["sh", "-c", "setsid sleep 1000 & echo up; sleep 1000"]),
          scope
        )
        yield* Stream.runHead(process.output)
        yield* Scope.close(scope, Exit.void)
        yield* until("nothing left of it", () => processesMarked(mark).length === 0)
        assert.strictEqual((yield* sh(channel, "echo well")).stdout, "well\n")
      }))

    it.effect("a background child does not delay a process's end, and goes on", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const { folder } = yield* Agent
        const scope = yield* Scope.make()
        const script = `(sleep 0.5; echo late; echo done > ${folder}/late) & echo early`
        const process = yield* Scope.provide(start(channel, ["sh", "-c", script]), scope)
        const { exit, stdout } = yield* collect(process)
        assert.isFalse(existsSync(`${folder}/late`))
        assert.deepStrictEqual([stdout, exit.code], ["early\n", 0])
        // Its pipe still takes what it prints: it gets no SIGPIPE.
        yield* until("the child's end", () => existsSync(`${folder}/late`))
        yield* Scope.close(scope, Exit.void)
      }))

    it.effect("a process and its group take signals", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const script =
          "trap 'echo got TERM' TERM; trap 'echo got USR1; exit 3' USR1; echo ready; while :; do sleep 0.01; done"
        const process = yield* start(channel, ["sh", "-c", script])
        const lines: Array<string> = []
        const reading = yield* Effect.forkChild(Stream.runForEach(process.output, ({ bytes }) =>
          Effect.sync(() =>
            lines.push(...Buffer.from(bytes).toString().trimEnd().split("\n"))
          )))
        yield* until("it is ready", () =>
          lines.includes("ready"))
        yield* process.signal("SIGTERM")
        yield* until("it got TERM", () => lines.includes("got TERM"))
        yield* process.signal("SIGUSR1", "group")
        yield* Fiber.join(reading)
        assert.strictEqual((yield* process.exit).code, 3)
      }))

    it.effect("a signal to a command reaches each of its processes once, also in another session", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const process = yield* start(channel, ["python3", "-c", FAMILY])
        const lines: Array<string> = []
        const reading = yield* Effect.forkChild(
          Stream.runForEach(
            process.output,
            ({ bytes }) => Effect.sync(() => lines.push(...Buffer.from(bytes).toString().trimEnd().split("\n")))
          )
        )
        const has = (name: string) => lines.filter((line) => line === name).length
        yield* until("all are ready", () => has("ready") === 3)
        yield* process.signal("SIGUSR1", "process")
        yield* until("the process got it", () => has("main") === 1)
        yield* process.signal("SIGUSR1", "command")
        yield* until("all got it", () => has("main") === 2 && has("child") === 1 && has("session") === 1)
        yield* process.signal("SIGTERM", "command")
        yield* Fiber.join(reading)
        assert.strictEqual((yield* process.exit).code, 4)
        assert.deepStrictEqual(lines.toSorted(), ["child", "main", "main", "ready", "ready", "ready", "session"])
      }))

    it.effect("a process on a terminal sees its size, its changes, and Ctrl-C", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const script =
          "tty; stty size; trap 'stty size' WINCH; trap 'echo interrupted; exit 5' INT; echo ready; while :; do sleep 0.01; done"
        const process = yield* start(channel, ["sh", "-c", script], { pty: { rows: 24, cols: 80 }, stdin: true })
        let screen = ""
        const reading = yield* Effect.forkChild(Stream.runForEach(process.output, ({ bytes, from }) =>
          Effect.sync(() => {
            assert.strictEqual(from, "stdout")
            screen += Buffer.from(bytes).toString()
          })))
        yield* until("it is ready", () => screen.includes("ready\r\n"))
        assert.match(screen, /^\/dev\/pts\/\d+\r\n24 80\r\n/)
        yield* process.resize({ rows: 50, cols: 132 })
        yield* until("the new size", () => screen.includes("50 132\r\n"))
        yield* process.writeStdin(Buffer.from("\u0003"))
        yield* Fiber.join(reading)
        assert.strictEqual((yield* process.exit).code, 5)
        assert.include(screen, "interrupted")
      }))

    it.effect("many concurrent processes keep their own output and status", () =>
      Effect.gen(function*() {
        const channel = yield* Agent.connect()
        const results = yield* Effect.forEach(
          Array.from({ length: 60 }, (_, i) => i),
          (i) => sh(channel, `head -c ${i * 1_000} /dev/zero | tr '\\0' x; exit ${i}`),
          { concurrency: 20 }
        )
        assert.deepStrictEqual(
          results.map(({ exit, stdout }) => [stdout.length, exit.code]),
          results.map((_, i) => [i * 1_000, i])
        )
      }))
  })
}
