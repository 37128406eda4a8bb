import { assert } from "@effect/vitest"
import { Effect, Result, Stream } from "effect"
import { spawn } from "node:child_process"
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import type { ChannelFailed } from "../../src/contract/errors/errors.ts"
import type { AgentCallFailed } from "../../src/lib/guest-channel/model/errors.ts"
import { withConfinedAgent } from "./agent.ts"
import { freshRoot } from "./fresh-root.ts"

/** The agent's own root, with an empty /workspace in it. */
const fresh = Effect.gen(function*() {
  const { channel, directory: workspace, root } = yield* freshRoot("workspace")
  return { channel, root, workspace }
})

withConfinedAgent("files beneath a root", (it) => {
  it.effect("reads, walks and writes stay beneath their root while a directory turns into a link and back", () =>
    Effect.gen(function*() {
      const { channel, root, workspace } = yield* fresh
      const outside = mkdtempSync(`${root}/outside-`)
      for (const name of ["file", "edited", "secret"]) writeFileSync(`${outside}/${name}`, "outside")
      mkdirSync(`${workspace}/real`)
      writeFileSync(`${workspace}/real/file`, "inside")
      // As fast as it can: `spot` is a directory with a file, a link to the outside, or not there.
      const swapper = yield* Effect.acquireRelease(
        Effect.sync(() =>
          spawn(process.execPath, [
            "-e",
            `const fs = require("fs"); process.chdir(process.argv[1])
            fs.mkdirSync("held"); fs.writeFileSync("held/file", "inside"); fs.writeFileSync("held/edited", "inside")
            fs.symlinkSync("../" + process.argv[2], "held-link")
            fs.writeSync(1, "ready")
            for (;;) {
              try {
                fs.renameSync("held", "spot"); fs.renameSync("spot", "held")
                fs.renameSync("held-link", "spot"); fs.renameSync("spot", "held-link")
              } catch {
                fs.rmSync("spot", { recursive: true, force: true }) // a write made it meanwhile
              }
            }`,
            workspace,
            outside.slice(root.length + 1)
          ])
        ),
        (child) =>
          Effect.callback<void>((resume) => {
            if (child.exitCode !== null) return resume(Effect.void)
            child.once("exit", () => resume(Effect.void))
            child.kill("SIGKILL")
          })
      )
      yield* Effect.callback<void>((resume) => {
        swapper.stdout.once("data", () => resume(Effect.void))
      })
      const outcomes = new Map<string, number>()
      const note = (outcome: Result.Result<unknown, AgentCallFailed | ChannelFailed>) => {
        const failure = Result.isSuccess(outcome) ? undefined : outcome.failure
        const told = failure === undefined ? "done" : failure._tag === "AgentCallFailed" ? failure.errno : failure._tag
        outcomes.set(told, (outcomes.get(told) ?? 0) + 1)
      }
      const spot = { root: "/workspace", path: "spot" }
      const file = { root: "/workspace", path: "spot/file" }
      for (let i = 0; i < 100; i++) {
        const content = yield* Effect.result(Stream.runCollect(channel.read(file)))
        note(content)
        if (Result.isSuccess(content)) assert.strictEqual(Buffer.concat(content.success).toString(), "inside")
        const listed = yield* Effect.result(Stream.runCollect(channel.walk(spot)))
        note(listed)
        if (Result.isSuccess(listed)) {
          assert.isFalse(listed.success.some(({ path }) => Buffer.from(path).toString() === "secret"))
        }
        const target = { ...file, mode: 0o644, createParents: true, follow: true }
        note(yield* Effect.result(channel.write(target, Stream.make(Buffer.from("inside")))))
      }
      assert.deepStrictEqual(readdirSync(outside).sort(), ["edited", "file", "secret"])
      for (const name of ["file", "edited"]) assert.strictEqual(readFileSync(`${outside}/${name}`, "utf8"), "outside")
      // The race was one: both sides of it were met.
      assert.isAbove(outcomes.get("done") ?? 0, 0)
      assert.isAbove(outcomes.get("EXDEV") ?? 0, 0)
      assert.isUndefined(outcomes.get("ChannelFailed"))
    }))
})
