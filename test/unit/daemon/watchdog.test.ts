import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { build } from "esbuild"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { processesWithArgument } from "../../../src/system/processes/identity.ts"
import { until } from "../../support/until.ts"

/** A program that starts a watch for a command that makes `mark`, says so, and with a line on its stdin ends in good order. */
const program = (folder: string) =>
  Effect.promise(async () => {
    const outfile = path.join(folder, "holder.mjs")
    await build({
      stdin: {
        contents: `
          import { Effect } from "effect"
          import { startWatchdog } from "./src/daemon/watchdog.ts"
          await Effect.runPromise(Effect.scoped(Effect.andThen(
            startWatchdog(["/bin/sh", "-c", "touch \\"$1\\"", "pyro-test", process.argv[2]]),
            Effect.callback((resume) => {
              process.stdin.once("data", () => { process.stdin.destroy(); resume(Effect.void) })
              process.stdout.write("watched")
            })
          )))`,
        resolveDir: path.resolve(import.meta.dirname, "../../..")
      },
      outfile,
      bundle: true,
      platform: "node",
      format: "esm",
      // The first form of jsonc-parser that a bundle can have.
      mainFields: ["module", "main"],
      logLevel: "error"
    })
    return outfile
  })

const start = (file: string, mark: string) =>
  Effect.callback<ChildProcess>((resume) => {
    const child = spawn(process.execPath, [file, mark], { stdio: ["pipe", "pipe", "inherit"] })
    child.stdout.once("data", () => resume(Effect.succeed(child)))
  })

const ended = (child: ChildProcess) =>
  Effect.callback<number | null>((resume) => void child.once("exit", (code) => resume(Effect.succeed(code))))

describe("the watchdog", () => {
  it.live("the watchdog runs its command if its creator is killed, and not if the creator ends in good order", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-watchdog-"))),
        (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
      )
      const file = yield* program(folder)
      const [killed, orderly] = [path.join(folder, "killed"), path.join(folder, "orderly")]
      const watchesFor = (mark: string) => processesWithArgument(mark).length

      const one = yield* start(file, killed)
      assert.strictEqual(watchesFor(killed), 2, "the maker and its watch")
      one.kill("SIGKILL")
      yield* until(() => fs.existsSync(killed))

      const other = yield* start(file, orderly)
      const end = yield* Effect.forkChild(ended(other))
      other.stdin!.write("\n")
      assert.strictEqual(yield* Fiber.join(end), 0)
      yield* until(() => watchesFor(orderly) === 0)
      assert.isFalse(fs.existsSync(orderly))
    }))
})
