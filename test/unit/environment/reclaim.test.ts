import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as path from "node:path"
import { makeReclaim } from "../../../src/environment/image/reclaim.ts"
import { makeImageStores } from "../../../src/environment/image/stores.ts"
import type { Kernel } from "../../../src/environment/Kernel.ts"
import { scratch } from "./scratch.ts"

const noKernel = undefined as unknown as Kernel["Type"]

describe("the removal of environments", () => {
  it.scoped("several environments are removed, or none if one of them is unknown", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const stores = makeImageStores(path.join(folder, "cache"), path.join(folder, "environments"))
      const { remove } = makeReclaim(stores, noKernel)
      for (const name of ["web", "lint", "left"]) {
        const created = "2026-01-01T00:00:00.000Z"
        yield* stores.own.keep({ format: 1, name, from: "debian:12-base", packages: [name], created })
      }
      const names = Effect.map(stores.own.all, (all) => all.map(({ name }) => name))
      const refused = yield* Effect.flip(remove(["web", "nobody", "lint"]))
      assert.include(refused.message, "no environment \"nobody\"")
      assert.deepStrictEqual(yield* names, ["left", "lint", "web"])
      assert.deepStrictEqual(yield* remove(["web", "lint", "web"]), { removed: ["web", "lint"], freedBytes: 0 })
      assert.deepStrictEqual(yield* names, ["left"])
    }))
})
