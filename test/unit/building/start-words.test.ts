import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema, Stream } from "effect"
import { buildEnvironment } from "../../../src/building/making.ts"
import { BuildPayload } from "../../../src/contract/rows/environment.ts"
import { typedMessage } from "../../../src/contract/rows/next-steps.ts"
import type { PyroService } from "../../../src/contract/rows/Pyro.ts"
import { Environments } from "../../../src/lib/environment/Environments.ts"
import { Kernel } from "../../../src/lib/environment/Kernel.ts"
import { Paths } from "../../../src/system/files/Paths.ts"

/** What a build without a base says. */
const said = (fields: object) => {
  const payload = Schema.decodeUnknownSync(BuildPayload())({ name: "lint", ...fields })
  return buildEnvironment(payload, {} as PyroService).pipe(
    Stream.runDrain,
    Effect.flip,
    Effect.map((error) => typedMessage(error)),
    Effect.provideService(Environments, {} as Environments["Service"]),
    Effect.provideService(Kernel, {} as Kernel["Service"]),
    Effect.provideService(Paths, { stateDir: "/nowhere", cacheDir: "/nowhere", memoryDir: "/nowhere" })
  )
}

describe("a build without a base", () => {
  it.effect("names the whole command with one that has what the packages need", () =>
    Effect.gen(function*() {
      assert.include(
        yield* said({ npm: ["prettier@3"] }),
        "pyro env build lint --from debian:12-build --npm prettier@3."
      )
      assert.include(yield* said({ packages: ["jq"] }), "pyro env build lint --from debian:12 --packages jq.")
      assert.include(yield* said({}), "pyro env build lint --from debian:12 --packages jq.")
    }))
})
