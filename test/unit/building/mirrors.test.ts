import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { builderLogins } from "../../../src/building/registry/logins.ts"
import { mirrorsOf, withMirror } from "../../../src/building/registry/mirrors.ts"
import { parseReference } from "../../../src/contract/text/image-reference.ts"
import type { MadeImage } from "../../../src/lib/environment/model/image-builder.ts"
import { ProcessVariables } from "../../../src/system/settings/config.ts"

const PYTHON = parseReference("docker.io/python:3")!

const mirrors = (text: string) =>
  mirrorsOf([PYTHON]).pipe(Effect.provideService(ProcessVariables, { PYRO_REGISTRY_MIRRORS: text }))

describe("mirrors that a builder asks", () => {
  it.effect("are sources in their order, and hosts that the builder may reach", () =>
    Effect.gen(function*() {
      const found = yield* mirrors("docker.io=mirror.example.com/hub,localhost:5000 quay.io=other.example.com")
      assert.deepStrictEqual(found.sources, [
        {
          name: "mirror.example.com/hub",
          source: "docker://mirror.example.com/hub/library/python:3",
          plainHttp: false
        },
        { name: "localhost:5000", source: "docker://host.pyro.internal:5000/library/python:3", plainHttp: true }
      ])
      assert.deepStrictEqual(found.allowHosts, ["mirror.example.com:443", "host.pyro.internal:5000"])
      assert.deepStrictEqual(found.registries, ["mirror.example.com:443", "host.pyro.internal:5000"])
      assert.deepStrictEqual(found.bases, [
        {
          name: "mirror.example.com/hub",
          registry: "docker.io",
          location: "mirror.example.com/hub",
          plainHttp: false
        },
        { name: "localhost:5000", registry: "docker.io", location: "host.pyro.internal:5000", plainHttp: true }
      ])
    }))

  it.effect("get their own logins, for pulls beneath their prefixes alone", () =>
    Effect.gen(function*() {
      const { references } = yield* mirrors("docker.io=mirror.example.com/hub")
      const { allowHosts, logins, secretHttp } = yield* builderLogins([PYTHON, ...references], {
        registryAuth: {
          "mirror.example.com": Redacted.make("me:password-1"),
          "other.example.com": Redacted.make("me:password-2")
        }
      })
      assert.deepStrictEqual(logins.map(({ registry }) => registry), ["mirror.example.com"])
      assert.deepStrictEqual(secretHttp, [
        "PYRO_REGISTRY_0@mirror.example.com:443:authorization+pull=hub/library/python"
      ])
      assert.deepStrictEqual(allowHosts, [])
    }))

  it.effect("are named by the host: a builder knows their numbers", () =>
    Effect.gen(function*() {
      const found = yield* mirrors("docker.io=a.example.com,b.example.com")
      const gave = (mirrorNumber: number | undefined) =>
        withMirror({ ...mirrorNumber === undefined ? {} : { mirrorNumber } } as MadeImage, found).mirror
      assert.deepStrictEqual([0, 1, 2, -1, undefined].map(gave), [
        "a.example.com",
        "b.example.com",
        undefined,
        undefined,
        undefined
      ])
    }))

  it.effect("that gave bases of a Dockerfile are named each once", () =>
    Effect.gen(function*() {
      const found = yield* mirrors("docker.io=a.example.com,b.example.com")
      assert.strictEqual(
        withMirror({ baseMirrors: [1, 0, 1, 7, -1] } as unknown as MadeImage, found).mirror,
        "b.example.com, a.example.com"
      )
    }))

  it.effect("are none without the variable", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* mirrors(""), {
        references: [],
        allowHosts: [],
        registries: [],
        sources: [],
        bases: []
      })
    }))
})
