import { assert, describe, it } from "@effect/vitest"
import { Effect, FiberRef } from "effect"
import { callerProject, forCaller, projectHeaders } from "../../../src/contract/wire/caller-project.ts"

const read = FiberRef.get(callerProject)
const caller = { project: "/p", all: false, places: { reading: ["/p", "/r \"ä\""], writing: ["/p"] } }

describe("the caller of a request to the daemon", () => {
  it.effect("the daemon knows the directories that a caller may use", () =>
    Effect.gen(function*() {
      const headers = yield* Effect.locally(projectHeaders, callerProject, caller)
      assert.deepStrictEqual((yield* forCaller(headers)(read))?.places, caller.places)
      const free = yield* Effect.locally(projectHeaders, callerProject, { ...caller, places: undefined })
      assert.isUndefined((yield* forCaller(free)(read))?.places)
      assert.isUndefined(yield* forCaller({})(read))
    }))

  it.effect("a caller whose directories cannot be read may use none", () =>
    Effect.gen(function*() {
      const headers = yield* Effect.locally(projectHeaders, callerProject, caller)
      for (const broken of ["", "{", "[]", "{\"reading\":[\"/\"]}"]) {
        const known = yield* forCaller({ ...headers, "pyro-places": broken })(read)
        assert.deepStrictEqual(known?.places, { reading: [], writing: [] }, broken)
      }
    }))
})
