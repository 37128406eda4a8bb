import { Effect, Result, Stream } from "effect"
import { assert, describe, it } from "vitest"
import type { PyroError } from "../../../../src/contract/errors/errors.ts"
import { ends, operations } from "../../../../src/contract/rows/operations.ts"
import type { AnyCall, Process } from "../../../../src/daemon/calls/answer/call.ts"
import { answerOf } from "../../../../src/daemon/calls/list.ts"
import { errorSamples } from "../../../support/daemon/error-samples.ts"

const similar = ["dk"]

type WithSimilar = PyroError & { readonly similar: ReadonlyArray<string> }

/** One error of each class that has similar names. */
const errors = [
  ...new Map(errorSamples.filter((one): one is WithSimilar => "similar" in one).map((one) => [one._tag, one])).values()
]
  .map((one) => new (one.constructor as new(fields: object) => WithSimilar)({ ...one, similar }))

const process: Process = {
  secretsOf: () => Effect.succeed([]),
  demandRoom: Effect.void,
  failNamed: Effect.fail,
  ofRecipes: (_, call) => call
}

describe("names for operations that end something", () => {
  it.each(operations.map((row) => [row.name, row] as const))("%s suggests other names only if nothing ends", async (
    _,
    row
  ) => {
    for (const error of errors) {
      const failing: AnyCall = () => row.kind === "unary" ? error : Stream.fail(error)
      const work = answerOf(row, failing, process)({}) as Effect.Effect<unknown, typeof error>
      const result = row.kind === "unary" ? work : Stream.runDrain(work as never) as typeof work
      const failure = await Effect.runPromise(Effect.result(result))
      assert.isTrue(Result.isFailure(failure))
      if (!Result.isFailure(failure)) return
      assert.strictEqual(failure.failure._tag, error._tag)
      assert.deepStrictEqual((failure.failure as WithSimilar).similar, ends(row) ? [] : similar)
      assert.strictEqual(
        failure.failure.message.includes("dk or") || failure.failure.message.includes("dk?"),
        !ends(row)
      )
    }
  })

  it("every error about an unknown name has similar names", () => {
    assert.sameMembers(errors.map(({ _tag }) => _tag), [
      "WorkspaceNotFound",
      "SnapshotNotFound",
      "SavedNotFound",
      "ServiceNotFound",
      "EnvironmentUnknown"
    ])
  })

  it("operations that stop, reset, delete or overwrite count as ends", () => {
    assert.deepStrictEqual(operations.filter(ends).map(({ name }) => name), [
      "workspace.cancel",
      "workspace.signal",
      "workspace.shell.signal",
      "workspace.shell.close",
      "workspace.service.stop",
      "workspace.file.remove",
      "workspace.export",
      "workspace.reset",
      "workspace.snapshot.delete",
      "saved.export",
      "saved.delete",
      "workspace.try",
      "workspace.keep",
      "workspace.port.unpublish",
      "workspace.stop",
      "workspace.disk.export",
      "workspace.delete",
      "env.export",
      "env.rm",
      "env.prune",
      "gc",
      "daemon.stop"
    ])
  })
})
