import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { DriverUnavailable } from "../../../../src/contract/errors/errors.ts"
import { firecracker } from "../../../../src/daemon/app/doctor/doctor.ts"
import type { VmmService } from "../../../../src/lib/vm/model/guest.ts"
import { Vmm } from "../../../../src/lib/vm/Vmm.ts"
import { ProcessVariables } from "../../../../src/system/settings/config.ts"

const detail = "it is too old"
const program = new DriverUnavailable({ driver: "Firecracker", detail })

/** The doctor's line on a host with a Firecracker that pyro does not run. */
const lineWith = (variables: Readonly<Record<string, string>>) =>
  firecracker.pipe(
    Effect.provideService(Vmm, { on: () => ({ program }) } as unknown as VmmService),
    Effect.provideService(ProcessVariables, variables)
  ) as Effect.Effect<Effect.Success<typeof firecracker>>

describe("the doctor's look at Firecracker", () => {
  it.effect("an unusable Firecracker is a fault only where new workspaces need it", () =>
    Effect.gen(function*() {
      const needed = yield* lineWith({ PYRO_DRIVER: "firecracker" })
      assert.deepInclude(needed, { ok: false, found: detail })
      assert.include(needed.fix, "unset PYRO_DRIVER")
      const optional = yield* lineWith({ PYRO_FIRECRACKER: "/opt/firecracker" })
      assert.deepInclude(optional, { ok: true, found: detail })
      assert.include(optional.fix, "docs/install.md")
    }))
})
