import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { EnvironmentUnknown } from "../../../../src/contract/errors/errors.ts"
import {
  addedPackagesOf,
  catalogue,
  lookUp,
  packagesOf,
  recipeOf
} from "../../../../src/lib/environment/model/catalogue.ts"

describe("the catalogue", () => {
  it("the catalogue has three environments of each of two Debian releases, one with Docker, and that of builders", () => {
    assert.deepStrictEqual(catalogue.map(({ name }) => name), [
      "debian:12-base",
      "debian:12",
      "debian:12-build",
      "debian:13-base",
      "debian:13",
      "debian:13-build",
      "debian:13-docker",
      "builder"
    ])
  })

  it.effect("each larger environment has all packages of the smaller one", () =>
    Effect.gen(function*() {
      for (const release of ["12", "13"]) {
        const of = (suffix: string) => Effect.map(lookUp(`debian:${release}${suffix}`), packagesOf)
        const [base, ordinary, build] = [yield* of("-base"), yield* of(""), yield* of("-build")]
        assert.includeMembers([...ordinary], [...base])
        assert.includeMembers([...build], [...ordinary])
        assert.includeMembers([...base], ["sudo"])
        assert.includeMembers([...ordinary], ["git", "ca-certificates", "curl", "python3", "ripgrep", "jq", "patch"])
        assert.includeMembers([...ordinary], ["procps", "less", "tzdata", "unzip", "xz-utils"])
        assert.includeMembers([...build], ["build-essential", "pkg-config", "python3-venv", "python3-pip"])
        assert.includeMembers([...build], ["python3-dev", "nodejs", "npm"])
        assert.includeMembers([...build], ["autoconf", "automake", "bison", "flex", "libtool"])
      }
    }))

  it.effect("Debian 13 environments have tzdata-legacy, the package of older time zone names", () =>
    Effect.gen(function*() {
      for (const suffix of ["", "-build"]) {
        assert.includeMembers([...packagesOf(yield* lookUp(`debian:13${suffix}`))], ["tzdata", "tzdata-legacy"])
        assert.notInclude(packagesOf(yield* lookUp(`debian:12${suffix}`)), "tzdata-legacy")
      }
      assert.notInclude(packagesOf(yield* lookUp("debian:13-base")), "tzdata-legacy")
    }))

  it.effect("Docker's packages are added to the finished image of debian:13, and an own environment adds its own to both", () =>
    Effect.gen(function*() {
      const docker = yield* lookUp("debian:13-docker")
      const [ordinary, added] = [packagesOf(yield* lookUp("debian:13")), addedPackagesOf(docker)]
      assert.includeMembers([...added], ["docker.io", "docker-buildx", "docker-compose"])
      assert.notIncludeMembers([...ordinary], ["docker.io"])
      assert.deepStrictEqual(packagesOf(docker), [...ordinary, ...added].sort())
      const own = { ...docker, own: { from: docker.name, packages: ["zsh"], npm: [] }, over: docker }
      assert.deepStrictEqual(addedPackagesOf(own), ["zsh"])
      assert.includeMembers([...packagesOf(own)], [...added, "zsh"])
    }))

  it("each environment has its own recipe", () => {
    assert.strictEqual(new Set(catalogue.map(recipeOf)).size, catalogue.length)
  })

  it.effect("an unknown environment is refused with the names of the known ones", () =>
    Effect.gen(function*() {
      for (const name of ["debian:11", "debian", "", "../debian:12", "DEBIAN:12"]) {
        const error = yield* Effect.flip(lookUp(name))
        assert.instanceOf(error, EnvironmentUnknown)
        assert.include(error.message, "debian:12-base, debian:12, debian:12-build")
      }
    }))

  it.effect("an unknown environment is refused with similar names, nearest first", () =>
    Effect.gen(function*() {
      const similar = (name: string) => Effect.map(Effect.flip(lookUp(name)), (error) => error.similar)
      assert.deepStrictEqual(yield* similar("debain:12"), ["debian:12"])
      assert.deepStrictEqual(yield* similar("DEBIAN:12"), ["debian:12"])
      assert.deepStrictEqual(yield* similar("debian13build"), ["debian:13-build"])
      assert.include(yield* similar("debian:11"), "debian:13")
      assert.lengthOf(yield* similar("debian-slim"), 1)
      for (const name of ["", ".", "ubuntu", "docker.io/library/debian:12"]) {
        assert.deepStrictEqual(yield* similar(name), [])
      }
    }))
})
