import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { programs } from "../../../../src/daemon/app/doctor/host.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"

describe("the doctor's look at programs", () => {
  it.live("doctor names the packages of all missing programs in one command", () =>
    Effect.gen(function*() {
      const empty = yield* temporaryDirectory
      const path = process.env["PATH"]
      process.env["PATH"] = empty
      const line = yield* Effect.ensuring(
        programs,
        Effect.sync(() => {
          process.env["PATH"] = path
        })
      )
      assert.isFalse(line.ok)
      const words = line.fix!.split(" ")
      assert.deepStrictEqual(words.slice(0, 3), ["sudo", "apt-get", "install"])
      const needed = ["bubblewrap", "erofs-utils", "mmdebstrap", "qemu-system-x86", "qemu-utils", "zstd"]
      assert.includeMembers(words, process.getuid!() === 0 ? needed : [...needed, "uidmap"])
      assert.strictEqual(new Set(words).size, words.length)
    }))
})
