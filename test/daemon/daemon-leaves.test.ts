import { assert, describe, it } from "@effect/vitest"
import { Effect, Schedule, Schema, Stream } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll } from "vitest"
import { Pyro } from "../../src/contract/rows/Pyro.ts"
import { workspaceCreate } from "../../src/contract/rows/workspace-lifecycle.ts"
import { layerDaemon } from "../../src/sdk/client.ts"
import { daemonCommand } from "../../src/sdk/daemon-command.ts"
import { buildOf } from "../../src/sdk/installed.ts"
import { installation } from "../support/installation.ts"
import { pyroPath } from "../support/pyro-cli.ts"

const pyro = installation("pyro-leaves-")
afterAll(pyro.close)
// Clients and daemons of this file.
process.env["PYRO_STATE_DIR"] = pyro.state
process.env["PYRO_DAEMON_IDLE_MS"] = "100"

const socket = path.join(pyro.state, "daemon", "socket")

/** The moment at which the daemon has decided: its socket has no name any more, and it is there still. */
const decided = Effect.sync(() => fs.existsSync(socket)).pipe(
  Effect.repeat({ while: (there) => there, schedule: Schedule.spaced("1 millis") })
)

const client = layerDaemon({
  version: buildOf(fs.readFileSync(pyroPath, "utf8")),
  command: daemonCommand(pyroPath)
})

const unknown = { workspace: "ws-0000000000000000", labels: {}, clearLabels: [], env: {}, clearEnv: [] }
const creation = Schema.decodeUnknownSync(workspaceCreate.payload())({ environment: "debian:0" })

describe("a daemon, which is in the host's root directory", () => {
  it.live("the daemon refuses relative host paths", () =>
    Effect.gen(function*() {
      const { workspace } = yield* Pyro
      for (const seedPath of [".", "etc", "~/.ssh"]) {
        const failure = yield* Effect.flip(Stream.runDrain(workspace.create({ ...creation, seedPath })))
        assert.deepInclude(failure, { _tag: "InvalidRequest", field: "seed_path" })
      }
      const push = {
        workspace: "w",
        sourcePath: ".",
        includeIgnored: [],
        allowHome: false,
        dest: "",
        delete: false,
        force: false
      }
      const failure = yield* Effect.flip(workspace.sync.push(push))
      assert.deepInclude(failure, { _tag: "InvalidRequest", field: "source_path" })
    }).pipe(Effect.provide(client)))
})

describe("a daemon that leaves", () => {
  it.live(
    "an exiting daemon tells its clients that no request was started",
    () =>
      Effect.gen(function*() {
        const { workspace } = yield* Pyro
        for (let round = 0; round < 5; round++) {
          // Somebody is connected, and the daemon there.
          yield* workspace.list({ labels: {} })
          yield* decided
          // Neither of them only reads: a client asks again only where it was told that nothing happened.
          const failures = yield* Effect.all([
            Effect.flip(workspace.update(unknown)),
            Effect.flip(Stream.runDrain(workspace.create(creation)))
          ], { concurrency: "unbounded" })
          assert.deepStrictEqual(failures.map(({ _tag }) => _tag), ["WorkspaceNotFound", "EnvironmentUnknown"])
        }
      }).pipe(Effect.provide(client)),
    60_000
  )

  it.live(
    "a daemon that exits after ten idle minutes costs no client a later request",
    () =>
      Effect.gen(function*() {
        const { daemon, workspace } = yield* Pyro
        for (let round = 0; round < 3; round++) {
          const { pid } = yield* daemon.status({})
          // Before its process is gone the kernel has told the client that the connection has ended.
          yield* Effect.sync(() => fs.existsSync(`/proc/${pid}`)).pipe(
            Effect.repeat({ while: (there) => there, schedule: Schedule.spaced("5 millis") })
          )
          const failures = yield* Effect.all([
            Effect.flip(Stream.runDrain(workspace.create(creation))),
            Effect.flip(workspace.update(unknown)),
            Effect.flip(Stream.runDrain(workspace.create(creation)))
          ], { concurrency: "unbounded" })
          assert.deepStrictEqual(failures.map(({ _tag }) => _tag), [
            "EnvironmentUnknown",
            "WorkspaceNotFound",
            "EnvironmentUnknown"
          ])
        }
      }).pipe(Effect.provide(client)),
    60_000
  )
})
