import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { asksOfFile } from "../../../src/project/asks.ts"
import { defaultsOf } from "../../../src/project/defaults.ts"
import { readProjectIn } from "../../../src/project/file.ts"
import { recall, remember } from "../../../src/project/memory.ts"
import { inOwnState } from "../../../src/project/own-state.ts"
import { ProcessVariables } from "../../../src/system/settings/config.ts"
import { folderWith } from "./folder.ts"

/** What a file gives a server, before and after the person granted what it asks for. */
const given = (text: string, variables: Readonly<Record<string, string>> = {}) =>
  Effect.suspend(() => {
    const directory = folderWith({ "pyro.toml": text })
    const defaults = defaultsOf(directory, (name) => variables[name])
    return Effect.gen(function*() {
      const before = yield* defaults
      const file = yield* readProjectIn(directory)
      yield* inOwnState(Effect.gen(function*() {
        const memory = yield* recall(directory)
        yield* remember({ ...memory, accepted: yield* asksOfFile(file!), built: "up-shop-012345" })
      }))
      return { before, after: yield* defaults }
    }).pipe(Effect.provideService(ProcessVariables, { ...process.env, PYRO_STATE_DIR: folderWith({}) }))
  })

describe("what a project's file gives to servers and agents", () => {
  it.effect("sizes, variables and an environment need no grant", () =>
    Effect.gen(function*() {
      const { after, before } = yield* given(
        "environment = \"web\"\nmemory = \"1G\"\nuser = \"agent\"\n[env]\nCI = \"1\"\n"
      )
      assert.isUndefined(before.note)
      assert.deepInclude(before.defaults, { environment: "web", workspaceUser: "agent" })
      assert.deepEqual(before.defaults.created as object, { memory_mib: 1024, env: { CI: "1" } })
      assert.deepEqual(after.defaults as object, before.defaults)
    }))

  it.effect("an image, ignored files, network and secrets need one", () =>
    Effect.gen(function*() {
      const { after, before } = yield* given(
        "environment = \"docker.io/python\"\nsecrets = [\"KEY\", \"OTHER\"]\nsecret_http = [\"KEY@api.example.com\", \"OTHER@api.example.com\"]\n" +
          "[seed]\ninclude_ignored = [\".env\"]\n[network]\nallow_hosts = [\"npm\"]\n",
        { KEY: "a-secret-value" }
      )
      assert.deepEqual(before.defaults as object, { created: {} })
      assert.include(before.note, "connections to npm")
      const { secrets = {}, ...others } = after.defaults
      assert.deepInclude(others, {
        environment: "docker.io/library/python:latest",
        includeIgnored: [".env"],
        networkCeiling: "egress:npm",
        secretHttp: ["KEY@api.example.com"],
        secretCommands: []
      })
      assert.deepStrictEqual(Object.keys(secrets), ["KEY"])
      assert.strictEqual(Redacted.value(secrets["KEY"]!), "a-secret-value")
      assert.isUndefined(after.note)
    }))

  it.effect("a Dockerfile gives the environment that pyro up built", () =>
    Effect.gen(function*() {
      const { after, before } = yield* given("dockerfile = \".\"\n")
      assert.isUndefined(before.defaults.environment)
      assert.strictEqual(after.defaults.environment, "up-shop-012345")
    }))

  it.effect("so does a dev container, which is left out while its build is not granted", () =>
    Effect.gen(function*() {
      const { defaults, note } = yield* defaultsOf(folderWith({
        "pyro.toml": "devcontainer = true\n",
        ".devcontainer.json": "{ \"image\": \"quay.io/a/b:1\" }"
      }))
      assert.isUndefined(defaults.environment)
      assert.include(
        note,
        "a build of the dev container .devcontainer.json, with images and features from quay.io, with your logins there"
      )
    }))

  it.effect("a network with denied hosts or addresses gives no ceiling, which would be wider", () =>
    Effect.gen(function*() {
      for (const rule of ["deny_hosts = [\"a.example\"]", "allow_ips = [\"10.0.0.1\"]", "policy = \"off\""]) {
        const { after } = yield* given(`[network]\nallow_hosts = ["npm"]\n${rule}\n`)
        assert.isUndefined(after.defaults.networkCeiling, rule)
      }
    }))

  it.effect("a file that cannot be used gives nothing, and the reason", () =>
    Effect.gen(function*() {
      const { defaults, note } = yield* defaultsOf(folderWith({ "pyro.toml": "memmory = 1\n" }))
      assert.deepStrictEqual(defaults, {})
      assert.include(note, "memmory: there is no such key")
    }))
})
