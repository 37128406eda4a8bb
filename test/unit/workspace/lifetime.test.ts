import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { callerProject } from "../../../src/contract/wire/caller-project.ts"
import { demandLifetime } from "../../../src/workspace/life/guest/lifetime.ts"

const asModel = <A, E>(work: Effect.Effect<A, E>) =>
  Effect.provideService(work, callerProject, { project: "/project", all: false })

describe("the time to live that a model asks for", () => {
  const REFUSED: ReadonlyArray<readonly [string, Parameters<typeof demandLifetime>]> = [
    ["one second for a workspace without an end", [1, { present: undefined }]],
    ["a year for a workspace without an end", [31_536_000, { present: undefined }]],
    ["one second less than now", [7_199, { present: 7_200 }]],
    ["a new workspace of less than an hour", [3_599]]
  ]
  for (const [what, asked] of REFUSED) {
    it.effect(`refuses ${what}, and a person may have it`, () =>
      Effect.gen(function*() {
        const refused = yield* Effect.flip(asModel(demandLifetime(...asked)))
        assert.strictEqual(refused.field, "ttl_seconds")
        yield* demandLifetime(...asked)
      }))
  }

  const ALLOWED: ReadonlyArray<readonly [string, Parameters<typeof demandLifetime>]> = [
    ["no change", [undefined, { present: undefined }]],
    ["no end", [0, { present: 60 }]],
    ["the same time", [60, { present: 60 }]],
    ["a longer time", [61, { present: 60 }]],
    ["a new workspace of an hour", [3_600]],
    ["a new workspace without an end", [undefined]]
  ]
  for (const [what, asked] of ALLOWED) {
    it.effect(`allows ${what}`, () => asModel(demandLifetime(...asked)))
  }
})
