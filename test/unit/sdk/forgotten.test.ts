import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { execFile } from "node:child_process"
import * as path from "node:path"
import { promisify } from "node:util"
import { ExecPayload } from "../../../src/contract/rows/workspace-exec.ts"
import { servePyro } from "../../support/daemon/served-pyro.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"

const program = path.resolve(import.meta.dirname, "../../fixtures/forgetful-client.ts")
const payload = Schema.decodeSync(ExecPayload())({ workspace: "w", command: ["true"] })

describe("a program that forgot to close its connection", () => {
  it.live("it ends by itself when it waits for no answer", () =>
    Effect.gen(function*() {
      const { socket } = yield* servePyro({
        ...unfakedPyro,
        workspace: {
          ...unfakedPyro.workspace,
          list: () => Effect.delay(Effect.succeed({ workspaces: [] }), 50),
          exec: () => Stream.fromEffect(Effect.delay(Effect.succeed({ _tag: "Detached", execId: "e" } as const), 50))
        }
      })
      const { stdout } = yield* Effect.promise(() =>
        promisify(execFile)(process.execPath, [program, socket, JSON.stringify(payload)], { timeout: 30_000 })
      )
      assert.strictEqual(stdout, "asked\n")
    }))
})
