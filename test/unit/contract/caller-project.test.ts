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

  it.effect("the daemon knows the name of the caller's client, as a short printable text", () =>
    Effect.gen(function*() {
      const client = "Claude Code 2.1.0"
      const headers = yield* Effect.provideService(projectHeaders, callerProject, { ...caller, client })
      assert.strictEqual((yield* forCaller(headers)(callerProject))?.client, client)
      const nameless = yield* Effect.provideService(projectHeaders, callerProject, caller)
      assert.notProperty(yield* forCaller(nameless)(callerProject), "client")
      const hostile = yield* forCaller({ ...headers, "pyro-client": "\u001b[2Jx\n".repeat(1_000) })(callerProject)
      assert.strictEqual(hostile?.client?.length, 60)
      assert.notMatch(hostile!.client!, /\p{C}/u)
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
