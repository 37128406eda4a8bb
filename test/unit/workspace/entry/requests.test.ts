import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ExecNotFound, type PyroError } from "../../../../src/contract/errors/errors.ts"
import { callerProject } from "../../../../src/contract/wire/caller-project.ts"
import { isSeen, remembered, RequestLog } from "../../../../src/workspace/entry/requests.ts"

const row = (name: string, readOnly = false) => ({ name, annotations: { readOnly } })
const model = { project: "/home/ann/project", all: false }
const done: Effect.Effect<string, PyroError> = Effect.succeed("done")

const ofModel = <A, E>(work: Effect.Effect<A, E>) => Effect.provideService(work, callerProject, model)

describe("the requests of a workspace", () => {
  it.effect("each request of a model is remembered, with its arguments and its answer", () =>
    Effect.gen(function*() {
      const log = new RequestLog()
      yield* ofModel(
        remembered(row("workspace.file.read", true), { workspace: "fix", path: "src/a.py", maxBytes: 100 }, log)(done)
      )
      const missing: Effect.Effect<never, PyroError> = Effect.fail(
        new ExecNotFound({ workspace: "fix", execId: "none" })
      )
      yield* Effect.exit(ofModel(remembered(row("workspace.file.stat", true), { path: "none" }, log)(missing)))
      assert.deepInclude(log.all[0], { number: 1, operation: "file.read", by: "model", outcome: "ok" })
      assert.deepStrictEqual({ ...log.all[0]!.given }, { path: "src/a.py" })
      assert.deepInclude(log.all[1], { operation: "file.stat", outcome: "exec_not_found" })
      assert.include(log.all[1]!.message, "none")
    }))

  it.effect("a request of a model has the name of its client", () =>
    Effect.gen(function*() {
      const log = new RequestLog()
      const write = remembered(row("workspace.file.write"), { path: "a" }, log)(done)
      yield* Effect.provideService(write, callerProject, { ...model, client: "codex 0.9" })
      yield* ofModel(write)
      yield* write
      assert.deepStrictEqual(log.all.map(({ by, client }) => [by, client]), [
        ["model", "codex 0.9"],
        ["model", undefined],
        ["person", undefined]
      ])
    }))

  it.effect("of people and programs, requests that change something are remembered", () =>
    Effect.gen(function*() {
      const log = new RequestLog()
      for (
        const [name, readOnly] of [
          ["workspace.file.read", true],
          ["workspace.shell.write", false],
          ["workspace.file.write", false]
        ] as const
      ) yield* remembered(row(name, readOnly), { path: "a" }, log)(done)
      assert.deepStrictEqual(log.all.map(({ by, operation }) => [by, operation]), [["person", "file.write"]])
      assert.isFalse(isSeen({ name: "workspace.exec" }))
      assert.isTrue(isSeen({ name: "workspace.file.write" }))
    }))

  it.effect("a request that runs is shown as running, and an interrupted one as such", () =>
    Effect.gen(function*() {
      const log = new RequestLog()
      const fiber = yield* Effect.forkChild(remembered(row("workspace.reset"), {}, log)(Effect.never), {
        startImmediately: true
      })
      const before = log.changes
      assert.strictEqual(log.all[0]!.outcome, "running")
      yield* Fiber.interrupt(fiber)
      assert.strictEqual(log.all[0]!.outcome, "interrupted")
      assert.isAbove(log.changes, before)
    }))

  it.effect("contents and secrets are not remembered, and long arguments are cut", () =>
    Effect.gen(function*() {
      const log = new RequestLog()
      const payload = {
        content: "all of it",
        text: "all of it",
        oldText: "a part",
        newText: "another",
        patch: "diff",
        secrets: { TOKEN: "x" },
        env: { A: "b" },
        path: "p".repeat(10_000),
        paths: Array.from({ length: 1_000 }, () => "q".repeat(1_000))
      }
      yield* remembered(row("workspace.file.write"), payload, log)(done)
      assert.deepStrictEqual(Object.keys(log.all[0]!.given), ["path", "paths"])
      assert.isBelow(JSON.stringify(log.all[0]).length, 10_000)
    }))

  it.effect("the number of remembered requests is bounded, and the newest stay", () =>
    Effect.gen(function*() {
      const log = new RequestLog()
      for (let number = 1; number <= 600; number++) yield* remembered(row("workspace.rename"), {}, log)(done)
      assert.lengthOf(log.all, 500)
      assert.strictEqual(log.all.at(-1)!.number, 600)
    }))
})
