import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { sharing } from "../../../../src/daemon/app/doctor/host.ts"
import { Environments } from "../../../../src/lib/environment/Environments.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { temporaryDirectory } from "../../lib/disk/temporary-directory.ts"

/** The doctor's lines for these two directories, with an environment of 3 MiB in the cache. */
const linesOf = (cacheDir: string, stateDir: string) =>
  Effect.gen(function*() {
    const imagePath = path.join(cacheDir, "root.erofs")
    fs.writeFileSync(imagePath, "")
    fs.truncateSync(imagePath, 3 * 1024 * 1024)
    const list = Effect.succeed([{ environment: { name: "debian:12", digest: "", imagePath } }])
    const lines = yield* Effect.provide(
      sharing,
      Layer.mergeAll(
        Layer.succeed(Paths, { cacheDir, stateDir, memoryDir: stateDir }),
        Layer.succeed(Environments, { list } as unknown as Environments["Service"])
      )
    )
    assert.deepStrictEqual([...fs.readdirSync(cacheDir), ...fs.readdirSync(stateDir)], ["root.erofs"])
    return lines
  })

/** A directory on another file system than the temporary ones. */
const elsewhere = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync("/dev/shm/pyro-doctor-")),
  (directory) => Effect.sync(() => fs.rmSync(directory, { recursive: true }))
)

describe("the doctor's look at where images are", () => {
  it.live("doctor reports that workspaces share images on one file system", () =>
    Effect.gen(function*() {
      const [line] = yield* linesOf(yield* temporaryDirectory, yield* temporaryDirectory)
      assert.deepInclude(line, { name: "images", ok: true })
      assert.include(line?.found, "without a copy")
      assert.isUndefined(line?.fix)
    }))

  it.live("doctor reports the cost per workspace on two file systems, and the fix", () =>
    Effect.gen(function*() {
      const other = yield* elsewhere
      assert.notStrictEqual(fs.statSync(other).dev, fs.statSync(os.tmpdir()).dev, "one file system here")
      const [line] = yield* linesOf(yield* temporaryDirectory, other)
      assert.include(line?.found, "different file systems: each workspace copies 54 MiB of debian:12, and its seed")
      assert.include(line?.fix, "PYRO_STATE_DIR")
    }))
})
