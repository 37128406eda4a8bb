import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { readConsole } from "../../../../../../src/lib/vm/driver/firecracker/console.ts"
import { nativeDirectory } from "../../../../../../src/system/processes/native.ts"
import { lapse } from "../../../../../support/until.ts"
import { temporaryDirectory } from "../../../disk/temporary-directory.ts"

const tool = path.join(nativeDirectory(), "pyro-console")
const pipeBytes = 65_536

const pipeIn = Effect.map(temporaryDirectory, (directory) => path.join(directory, "console"))

const run = (...args: ReadonlyArray<string>) => spawnSync(tool, args, { encoding: "utf8", timeout: 20_000 })

/** A program that lives until its input ends, with the pipe as its output. */
const living = (pipe: string, script: string) =>
  Effect.acquireRelease(
    Effect.sync(() => spawn(tool, [pipe, "sh", "-c", script], { stdio: ["pipe", "ignore", "inherit"] })),
    (child) => Effect.sync(() => void child.kill("SIGKILL"))
  )

/** Waits for text in the console. */
const untilSaid = (text: Effect.Effect<string>, wanted: string) =>
  text.pipe(
    Effect.tap(() => lapse(2)),
    Effect.repeat({ until: (now) => now.includes(wanted) }),
    Effect.timeout("10 seconds")
  )

const untilThere = (file: string) =>
  Effect.sync(() => fs.existsSync(file)).pipe(
    Effect.tap(() => lapse(2)),
    Effect.repeat({ until: (is) => is }),
    Effect.timeout("10 seconds")
  )

/** Writes numbered lines, also those that are lost, and makes a file at the end. */
const flood =
  "i=0; while [ $i -lt 20000 ]; do echo \"line $i\" 2>/dev/null; i=$((i+1)); done; touch \"$PIPE.through\"; read x; echo end"

describe("pyro-console", () => {
  it.live("a program without a reader is not held up, and a later reader gets the first 64 KiB", () =>
    Effect.gen(function*() {
      const pipe = yield* pipeIn
      const child = yield* living(pipe, flood.replace("$PIPE", pipe))
      yield* untilThere(`${pipe}.through`)
      assert.isNull(child.exitCode)
      const fd = fs.openSync(pipe, fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
      const bytes = Buffer.alloc(2 * pipeBytes)
      const said = bytes.toString("latin1", 0, fs.readSync(fd, bytes))
      fs.closeSync(fd)
      assert.isTrue(said.startsWith("line 0\nline 1\nline 2\n"))
      assert.include(said, "\nline 5000\n")
      assert.isAtMost(said.length, pipeBytes)
      assert.isAtLeast(said.length, pipeBytes - 4096)
      // The pipe has room again. It ends with its last user, so the reader comes before the program's end.
      const text = yield* readConsole(pipe)
      child.stdin!.write("\n")
      yield* untilSaid(text, "end\n")
    }))

  it.live("a reader has the end of what was said, and another reader continues after it", () =>
    Effect.gen(function*() {
      const pipe = yield* pipeIn
      const child = yield* living(pipe, "while read x; do echo \"said $x\"; done")
      yield* untilThere(pipe)
      yield* Effect.scoped(Effect.gen(function*() {
        const text = yield* readConsole(pipe)
        for (let round = 0; round < 30; round++) {
          child.stdin!.write(`${"x".repeat(4000)}${round}\n`)
          yield* untilSaid(text, `x${round}\n`)
        }
        const said = yield* text
        assert.isAtMost(said.length, pipeBytes)
        assert.notInclude(said, "xx0\n")
      }))
      child.stdin!.write("between\n")
      const later = yield* readConsole(pipe)
      assert.strictEqual(yield* untilSaid(later, "between\n"), "said between\n")
    }))

  it.live("the pipe is for its owner alone, and the program has no other descriptor of it", () =>
    Effect.gen(function*() {
      const pipe = yield* pipeIn
      const child = yield* living(pipe, "echo up; read x")
      yield* untilThere(pipe)
      assert.strictEqual(fs.statSync(pipe).mode & 0o7777, 0o600)
      yield* untilSaid(yield* readConsole(pipe), "up\n")
      const descriptors = fs.readdirSync(`/proc/${child.pid}/fd`)
      const target = fs.readlinkSync(`/proc/${child.pid}/fd/1`)
      assert.strictEqual(target, pipe)
      assert.deepStrictEqual(
        descriptors.filter((name) => fs.readlinkSync(`/proc/${child.pid}/fd/${name}`) === target),
        ["1"]
      )
    }))

  it.live("a path that exists is refused, whatever it is, and the program does not start", () =>
    Effect.gen(function*() {
      const directory = yield* temporaryDirectory
      const named = (name: string) => path.join(directory, name)
      fs.writeFileSync(named("file"), "content")
      fs.symlinkSync(named("elsewhere"), named("link"))
      execFileSync("mkfifo", [named("fifo")])
      for (const name of ["file", "link", "fifo"]) {
        const { status, stderr } = run(named(name), "touch", named("started"))
        assert.strictEqual(status, 1)
        assert.match(stderr, /^pyro-console: .*: File exists$/m)
      }
      assert.sameMembers(fs.readdirSync(directory), ["file", "link", "fifo"])
      assert.strictEqual(fs.readFileSync(named("file"), "utf8"), "content")
    }))

  it.live("a missing program and missing arguments have their own status", () =>
    Effect.gen(function*() {
      const pipe = yield* pipeIn
      const { status, stderr } = run(pipe, "no-such-program")
      assert.strictEqual(status, 1)
      assert.match(stderr, /no-such-program: No such file/)
      for (const args of [[], [pipe]]) assert.strictEqual(run(...args).status, 2)
    }))

  it.live("a VM without a pipe has an empty console", () =>
    Effect.gen(function*() {
      const pipe = yield* pipeIn
      assert.strictEqual(yield* yield* readConsole(pipe), "")
      fs.writeFileSync(pipe, "a file in the pipe's place")
      assert.strictEqual(yield* yield* readConsole(pipe), "")
      fs.symlinkSync(pipe, `${pipe}.link`)
      assert.strictEqual(yield* yield* readConsole(`${pipe}.link`), "")
    }))
})
