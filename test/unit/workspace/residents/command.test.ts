import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { execFileSync } from "node:child_process"
import { CommandNotStarted } from "../../../../src/contract/errors/errors.ts"
import type { GuestProcess } from "../../../../src/lib/guest-channel/model/process.ts"
import {
  type CommandRequest,
  endingOptions,
  endProcess,
  recordedCommand,
  spawnRequest
} from "../../../../src/workspace/residents/program/command.ts"
import { makeProcess } from "./exec/fake-process.ts"

const request = (more: Partial<CommandRequest>): CommandRequest => ({
  command: ["true"],
  env: {},
  cwd: "/workspace",
  user: "root",
  tty: false,
  rows: 24,
  cols: 80,
  ...more
})

describe("a command's request to the guest", () => {
  it.each([
    ["/workspace", "/workspace"],
    ["src", "/workspace/src"],
    ["./src/../lib", "/workspace/lib"],
    [".", "/workspace"],
    ["/tmp/x", "/tmp/x"]
  ])("a command with cwd %s runs in %s", (cwd, expected) => {
    assert.strictEqual(spawnRequest(request({ cwd }), {}).cwd, expected)
  })

  it("the shell gets a script as one argument", () => {
    const script = "echo \"$HOME\"; exit 3"
    const { argv } = spawnRequest(request({ command: [], script }), {})
    assert.strictEqual(argv[0], "/bin/sh")
    assert.strictEqual(argv.at(-1), script)
  })

  it("without a program, a login shell runs: bash, or sh where there is no bash", () => {
    const [program = "", ...args] = spawnRequest(request({ command: [] }), {}).argv.map(String)
    const shellOf = (words: ReadonlyArray<string>) =>
      execFileSync(program, words, {
        input: `echo "$0 $SHELL \${BASH_VERSION:+bash}"`,
        env: { SHELL: "/bin/bash", HOME: "/nowhere", PATH: "/usr/bin:/bin" },
        encoding: "utf8"
      })
    assert.strictEqual(shellOf(args), "/bin/bash /bin/bash bash\n")
    const withoutBash = args.map((word) => word.replaceAll("/bin/bash", "/nowhere/bash"))
    assert.match(shellOf(withoutBash), /^\/bin\/sh \/bin\/sh/)
  })

  it("the record of a script names its shell", () => {
    assert.deepStrictEqual(recordedCommand(request({ command: [], script: "date; id" })), ["bash", "-c", "date; id"])
    assert.deepStrictEqual(recordedCommand(request({ command: ["ls", "-l"] })), ["ls", "-l"])
  })
})

describe("the end of a command", () => {
  const signalled = (ending: Parameters<typeof endingOptions>[0], by: "cancel" | "timeout") =>
    Effect.gen(function*() {
      const { done, process } = yield* makeProcess(true)
      const asked: Array<unknown> = []
      const noted: GuestProcess = {
        ...process,
        signal: (signal, target) => Effect.sync(() => void asked.push(signal, target))
      }
      yield* endProcess(noted, by, endingOptions({ ...ending, graceMs: 1 }))
      return [asked, done]
    })

  it.effect.each(
    [
      [{}, "cancel", ["SIGINT", "group"]],
      [{}, "timeout", ["SIGTERM", "group"]],
      [{ tty: true }, "cancel", ["SIGHUP", "group"]],
      [{ role: { _tag: "service", name: "web" } }, "cancel", ["SIGTERM", "group"]],
      [{ role: { _tag: "service", name: "web", stopSignal: 3 } }, "cancel", [3, undefined]],
      [{ stopSignal: 10, tty: true }, "timeout", [10, undefined]]
    ] as const
  )("of %j by %s begins with the signal %j, and ends with SIGKILL", ([ending, by, signal]) =>
    Effect.gen(function*() {
      const running = yield* Effect.forkChild(signalled(ending, by))
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(yield* Fiber.join(running), [[...signal], ["kill"]])
    }))
})

describe("the error of a command that was not started", () => {
  it.each(["user", "cwd", "length"])("the error of a wrong %s does not offer the same command again", (step) => {
    const { message } = new CommandNotStarted({ step, detail: "ENOENT: /nope" })
    assert.include(message, "Nothing ran")
    assert.notInclude(message, "Another attempt is safe")
  })

  it("the error of a full guest offers the same command again", () => {
    assert.include(new CommandNotStarted({ step: "cgroup", detail: "ENOMEM" }).message, "Another attempt is safe")
  })
})
