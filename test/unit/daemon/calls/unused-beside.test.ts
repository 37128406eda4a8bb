import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { AdmissionRefused, type PyroError } from "../../../../src/contract/errors/errors.ts"
import { operations } from "../../../../src/contract/rows/operations.ts"
import type { AnyCall, Process } from "../../../../src/daemon/calls/answer/call.ts"
import { ownCallOf } from "../../../../src/daemon/calls/list.ts"

const memory = new AdmissionRefused({ resource: "memory", detail: "the host is full" })

const process: Process = {
  secretsOf: () => Effect.succeed([]),
  demandRoom: Effect.void,
  failNamed: (failure) =>
    Effect.fail(failure._tag === "AdmissionRefused" ? new AdmissionRefused({ ...failure, unused: ["ws-a"] }) : failure),
  ofRecipes: (_, call) => call
}

describe("a refusal for memory", () => {
  it.effect.each(["run", "env.build", "env.pull", "env.import", "env.export", "workspace.commit", "workspace.create"])(
    "of %s names unused workspaces",
    (name) =>
      Effect.gen(function*() {
        const row = operations.find((one) => one.name === name)!
        const call: AnyCall = () => Stream.fail<PyroError>(memory)
        const events = ownCallOf(row, call, process)({}) as Stream.Stream<unknown, PyroError>
        assert.deepInclude(yield* Effect.flip(Stream.runDrain(events)), { unused: ["ws-a"] })
      })
  )
})
