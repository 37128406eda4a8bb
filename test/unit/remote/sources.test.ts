import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { forgetSource, rememberSource, sourceOf } from "../../../src/remote/model/sources.ts"
import { temporaryFolder } from "../../support/pyro-cli.ts"

describe("directories that workspaces of other machines were seeded from", () => {
  it.effect("are remembered for a context and its address, until they are forgotten", () =>
    Effect.gen(function*() {
      const { folder, remove } = temporaryFolder("pyro-sources-")
      yield* Effect.addFinalizer(() => Effect.sync(remove))
      const of = { stateDir: folder, context: { name: "bench", url: "ssh://bench" } }
      assert.isUndefined(yield* sourceOf(of, "ws-0123456789"))
      yield* rememberSource(of, "ws-0123456789", "/home/me/service")
      assert.strictEqual(yield* sourceOf(of, "ws-0123456789"), "/home/me/service")
      assert.isUndefined(yield* sourceOf({ ...of, context: { name: "other", url: "ssh://bench" } }, "ws-0123456789"))
      assert.isUndefined(yield* sourceOf({ ...of, context: { name: "bench", url: "ssh://moved" } }, "ws-0123456789"))
      yield* forgetSource(of, "ws-0123456789")
      assert.isUndefined(yield* sourceOf(of, "ws-0123456789"))
      yield* forgetSource(of, "ws-0123456789")
    }))

  it.effect("have no file at another place, whatever id the other machine says", () =>
    Effect.gen(function*() {
      const { folder, remove } = temporaryFolder("pyro-sources-")
      yield* Effect.addFinalizer(() => Effect.sync(remove))
      const of = { stateDir: path.join(folder, "state"), context: { name: "bench", url: "ssh://bench" } }
      for (const id of ["../../ws-1", "ws-../x", "", "ws-1/2", "ws-\0", `ws-${"a".repeat(300)}`]) {
        yield* rememberSource(of, id, "/home/me/service")
        assert.isUndefined(yield* sourceOf(of, id))
        yield* forgetSource(of, id)
      }
      assert.deepStrictEqual(fs.readdirSync(folder), [])
    }))
})
