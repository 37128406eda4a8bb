import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as path from "node:path"
import { typedMessage } from "../../../../../src/contract/rows/next-steps.ts"
import { admit } from "../../../../../src/lib/vm/driver/admission.ts"
import { newRecord, newVmId } from "../../../../../src/lib/vm/model/record.ts"
import { Paths } from "../../../../../src/system/files/Paths.ts"
import { coreCount } from "../../../../../src/system/processes/host.ts"
import { temporaryFolder } from "../../../../support/pyro-cli.ts"

/** The error of letting `count` VMs of one size in, on a host where no other runs. */
const refused = (count: number, size: { readonly memoryMib: number; readonly vcpuCount: number }) =>
  Effect.acquireUseRelease(
    Effect.sync(() => temporaryFolder("pyro-admission-")),
    ({ folder }) => {
      const records = Array.from(
        { length: count },
        () => newRecord({ createdAt: "1970-01-01T00:00:00.000Z", id: newVmId(), purpose: "workspace", uid: 0, ...size })
      )
      const paths = { stateDir: path.join(folder, "state"), cacheDir: folder, memoryDir: folder }
      return Effect.flip(Effect.provideService(admit(records), Paths, paths as Paths["Service"]))
    },
    ({ remove }) => Effect.sync(remove)
  )

const vcpusPerCore = 16

describe("VMs that are refused", () => {
  it.effect("a refusal for CPUs reports how many VMs fit, and suggests fewer CPUs or deleting others", () =>
    Effect.gen(function*() {
      const most = coreCount() * vcpusPerCore
      const failure = yield* refused(most + 5, { memoryMib: 1, vcpuCount: 1 })
      assert.deepInclude(failure, { _tag: "AdmissionRefused", resource: "cpu", fits: most })
      assert.match(
        typedMessage(failure),
        new RegExp(`Ask for fewer: --count ${most}\\. Stop or delete workspaces\\..* fewer virtual CPUs`)
      )
    }))

  it.effect("a refusal for memory reports how many VMs fit, and suggests less memory or deleting others", () =>
    Effect.gen(function*() {
      const failure = yield* refused(64, { memoryMib: 1_000_000_000, vcpuCount: 1 })
      assert.deepInclude(failure, { fits: 0 })
      assert.match(
        typedMessage(failure),
        /\. Stop or delete workspaces\..* less memory: --mem-mib\. A fork has the sizes of its origin$/
      )
      assert.notInclude(failure.message, "--count")
    }))

  it.effect("a refusal of a single VM has no count", () =>
    Effect.gen(function*() {
      const failure = yield* refused(1, { memoryMib: 1_000_000_000, vcpuCount: 1 })
      assert.notProperty(failure, "fits")
      assert.notInclude(failure.message, "--count")
    }))
})
