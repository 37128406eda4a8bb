import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll } from "vitest"
import { Pyro } from "../../../src/contract/rows/Pyro.ts"
import { workspaceExec } from "../../../src/contract/rows/workspace-exec.ts"
import { layerDaemon } from "../../../src/sdk/client.ts"
import { daemonCommand } from "../../../src/sdk/daemon-command.ts"
import { descriptorsOf, rssOf } from "../host/process-facts.ts"
import { type Installation, installation } from "../installation.ts"
import { pyroPath, until } from "../pyro-cli.ts"

/** A client of the daemon that the built command started. */
const clientOf = (pyro: Installation) =>
  Effect.sync(() => {
    const record = fs.readFileSync(path.join(pyro.state, "daemon", "daemon.json"), "utf8")
    const { version } = JSON.parse(record) as { readonly version: string }
    return layerDaemon({ version, command: daemonCommand(pyroPath) })
  })

const defaults = {
  env: {},
  cwd: "/workspace",
  user: "root",
  tty: false,
  rows: 24,
  cols: 80,
  maxBytes: 1000,
  graceSeconds: 2,
  detach: false
}

/** Runs a command that takes some input, to its end, and gives what it printed. */
const exec = (command: ReadonlyArray<string>, input: string) =>
  Effect.gen(function*() {
    const payload = { ...defaults, workspace: "w", command }
    const folding = workspaceExec.fold(payload)
    const { workspace } = yield* Pyro
    yield* Stream.runForEach(
      workspace.exec(payload, { stdin: Stream.make(Buffer.from(input)) }),
      (event) => Effect.sync(() => folding.add(event))
    )
    return folding.result()
  })

/** The daemon is the same after so many commands as after the first sixth of them. */
export const manyCommandsSuite = (count: number) =>
  describe("a workspace after many commands", () => {
    const pyro = installation("pyro-many-")
    afterAll(pyro.close)
    process.env["PYRO_STATE_DIR"] = pyro.state
    const first = Math.floor(count / 6)

    it.live(
      "after many commands the daemon has the same descriptors and memory, and the journal has all commands",
      () =>
        Effect.gen(function*() {
          yield* Effect.promise(() => pyro.create(["--name", "w"]))
          const pid = yield* Effect.promise(pyro.daemonPid)
          const some = (from: number, count: number) =>
            Effect.forEach(Array.from({ length: count }, (_, at) => from + at), (number) =>
              Effect.gen(function*() {
                const result = yield* exec(number % 2 === 0 ? ["cat"] : ["echo", `${number}`], `${number}\n`)
                assert.deepInclude(result, { status: 0, stdout: `${number}\n` })
              }), { concurrency: 4, discard: true })
          yield* Effect.gen(function*() {
            yield* some(0, first)
            const before = { descriptors: descriptorsOf(pid), rss: rssOf(pid) }
            yield* some(first, count - first)
            const grown = rssOf(pid) - before.rss
            // What the last ones had is released a moment after they were told.
            yield* Effect.promise(() => until("their release", () => descriptorsOf(pid) <= before.descriptors))
            assert.isBelow(grown, 32 * 1024 * 1024)
            const { workspace } = yield* Pyro
            const { commands } = yield* workspace.logs(
              { workspace: "w", cursor: 0, encoding: "text", maxBytes: 1, limit: 10_000 }
            )
            assert.strictEqual(commands.length, count)
            assert.isTrue(commands.every(({ outcome }) => outcome === "exited"))
          }).pipe(Effect.provide(yield* clientOf(pyro)))
        }),
      240_000
    )
  })
