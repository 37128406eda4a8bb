import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ProcessVariables } from "../../../../src/system/settings/config.ts"
import { driverOf, layerFormatOf } from "../../../../src/workspace/life/guest/driver.ts"

const chosen = (driver: "auto" | "qemu" | "firecracker" | undefined, variable?: string) =>
  Effect.provideService(driverOf({ driver }), ProcessVariables, { PYRO_DRIVER: variable })

describe("the driver of a workspace", () => {
  it.effect("the caller's word counts, then PYRO_DRIVER, and `auto` is QEMU", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* chosen("firecracker", "qemu"), "firecracker")
      assert.strictEqual(yield* chosen("qemu", "firecracker"), "qemu")
      assert.strictEqual(yield* chosen("auto", "firecracker"), "qemu")
      assert.strictEqual(yield* chosen(undefined, "firecracker"), "firecracker")
      for (const variable of ["auto", "qemu", "", undefined]) {
        assert.strictEqual(yield* chosen(undefined, variable), "qemu")
      }
    }))

  it.effect("a PYRO_DRIVER without a meaning is refused", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(chosen(undefined, "xen"))
      assert.deepInclude(failure, { _tag: "InvalidConfiguration", variable: "PYRO_DRIVER", value: "xen" })
    }))

  it("a workspace keeps what its guest writes in the form of its driver, and older records are of QEMU", () => {
    assert.deepStrictEqual(
      (["firecracker", "qemu", undefined] as const).map((driver) => layerFormatOf({ driver } as never)),
      ["store", "qcow2", "qcow2"]
    )
  })
})
