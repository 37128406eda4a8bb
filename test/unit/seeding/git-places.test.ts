import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { boundPlaces, forCaller } from "../../../src/contract/wire/caller-project.ts"
import { gitPlacesHeader } from "../../../src/contract/wire/git-places.ts"
import { gitPlaces } from "../../../src/seeding/git/git-places.ts"

const shell = { HOME: "/home/ada", XDG_CONFIG_HOME: "/x/cönfig\n", TOKEN: "secret" }

describe("the places of a user's git configuration", () => {
  it.effect("a request has the places of its client's shell, and no other variable", () =>
    Effect.gen(function*() {
      const header = gitPlacesHeader(shell)
      assert.notInclude(JSON.stringify(header), "secret")
      assert.deepStrictEqual(yield* forCaller(header)(gitPlaces), {
        HOME: shell.HOME,
        XDG_CONFIG_HOME: shell.XDG_CONFIG_HOME
      })
    }))

  it.effect("a request without readable places has those of the daemon", () =>
    Effect.gen(function*() {
      for (const headers of [{}, { "pyro-git-places": "[" }, { "pyro-git-places": "{\"HOME\":1}" }]) {
        assert.strictEqual((yield* forCaller(headers)(gitPlaces)).HOME, process.env["HOME"])
      }
    }))

  it.effect("the page cannot name places", () =>
    Effect.gen(function*() {
      const bound = Effect.provideService(gitPlaces, boundPlaces, { reading: [], writing: [] })
      assert.strictEqual((yield* forCaller(gitPlacesHeader(shell))(bound)).HOME, process.env["HOME"])
    }))
})
