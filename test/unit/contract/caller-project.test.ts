import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { callerProject, forCaller, projectHeaders } from "../../../src/contract/wire/caller-project.ts"

const caller = { project: "/p", all: false, places: { reading: ["/p", "/r \"ä\""], writing: ["/p"] } }

describe("the caller of a request to the daemon", () => {
  it.effect("the daemon knows the directories that a caller may use", () =>
    Effect.gen(function*() {
      const headers = yield* Effect.provideService(projectHeaders, callerProject, caller)
      assert.deepStrictEqual((yield* forCaller(headers)(callerProject))?.places, caller.places)
      const free = yield* Effect.provideService(projectHeaders, callerProject, { ...caller, places: undefined })
      assert.isUndefined((yield* forCaller(free)(callerProject))?.places)
      assert.isUndefined(yield* forCaller({})(callerProject))
    }))

  it.effect("a caller whose directories cannot be read may use none", () =>
    Effect.gen(function*() {
      const headers = yield* Effect.provideService(projectHeaders, callerProject, caller)
      for (const broken of ["", "{", "[]", "{\"reading\":[\"/\"]}"]) {
        const known = yield* forCaller({ ...headers, "pyro-places": broken })(callerProject)
        assert.deepStrictEqual(known?.places, { reading: [], writing: [] }, broken)
      }
    }))
})
