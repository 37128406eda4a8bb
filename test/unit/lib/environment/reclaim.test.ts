import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as path from "node:path"
import { Environments } from "../../../../src/lib/environment/Environments.ts"
import { Kernel } from "../../../../src/lib/environment/Kernel.ts"
import { ownDefinitions, ownFolder } from "../../../../src/lib/environment/model/own.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { scratch } from "./scratch.ts"

const noKernel = Layer.succeed(Kernel, undefined as unknown as Kernel["Service"])

describe("the removal of environments", () => {
  it.effect("several environments are removed, or none if one of them is unknown", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const paths = { cacheDir: path.join(folder, "cache"), stateDir: folder, memoryDir: folder }
      const { remove } = yield* Environments.pipe(
        Effect.provide(Layer.provide(Environments.layer, Layer.merge(noKernel, Layer.succeed(Paths, paths))))
      )
      const own = ownDefinitions(ownFolder(folder))
      for (const name of ["web", "lint", "left"]) {
        const created = "2026-01-01T00:00:00.000Z"
        yield* own.keep({ format: 1, name, from: "debian:12-base", packages: [name], created })
      }
      const names = Effect.map(own.all, (all) => all.map(({ name }) => name))
      const refused = yield* Effect.flip(remove(["web", "nobody", "lint"]))
      assert.include(refused.message, "no environment \"nobody\"")
      assert.deepStrictEqual(yield* names, ["left", "lint", "web"])
      assert.deepStrictEqual(yield* remove(["web", "lint", "web"]), { removed: ["web", "lint"], freedBytes: 0 })
      assert.deepStrictEqual(yield* names, ["left"])
    }))
})
