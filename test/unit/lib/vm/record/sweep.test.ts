import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { newVmId, vmPaths } from "../../../../../src/lib/vm/model/record.ts"
import { endVm, sweepVms } from "../../../../../src/lib/vm/model/sweep.ts"
import { Paths } from "../../../../../src/system/files/Paths.ts"
import { temporaryDirectory } from "../../disk/temporary-directory.ts"

const installation = Effect.gen(function*() {
  const folder = yield* temporaryDirectory
  const paths = { stateDir: path.join(folder, "state"), cacheDir: folder, memoryDir: path.join(folder, "memory") }
  for (const directory of [paths.stateDir, paths.memoryDir]) fs.mkdirSync(directory)
  return { paths, sweep: Effect.provideService(sweepVms, Paths, paths) }
})

describe("the sweep of VMs", () => {
  it.live("the sweep removes a memory file and a folder that no process answers for", () =>
    Effect.gen(function*() {
      const { paths, sweep } = yield* installation
      const orphan = path.join(paths.memoryDir, newVmId())
      fs.writeFileSync(orphan, "memory")
      const { directory } = vmPaths(paths, newVmId())
      fs.mkdirSync(directory, { recursive: true })
      fs.writeFileSync(path.join(directory, "console"), "x")
      const swept = yield* sweep
      assert.deepStrictEqual(swept.map(({ kind, what }) => [kind, what]), [
        ["vm", directory],
        ["memory file", orphan]
      ])
      assert.isAbove(Math.min(...swept.map(({ freedBytes }) => freedBytes)), 0)
      assert.deepStrictEqual(yield* sweep, [])
    }))

  it.live("the sweep fails with the path if a directory of pyro is a file", () =>
    Effect.gen(function*() {
      const { paths, sweep } = yield* installation
      const vms = path.join(paths.stateDir, "vms")
      fs.writeFileSync(vms, "")
      assert.deepInclude(yield* Effect.flip(sweep), { code: "state_directory_unusable", path: vms })
      fs.rmSync(vms)
      fs.rmdirSync(paths.memoryDir)
      fs.writeFileSync(paths.memoryDir, "")
      assert.deepInclude(yield* Effect.flip(sweep), { code: "state_directory_unusable", path: paths.memoryDir })
    }))

  it.live("the end of a VM fails with the path if the host keeps its files", () =>
    Effect.gen(function*() {
      const { paths } = yield* installation
      const id = newVmId()
      const { directory } = vmPaths(paths, id)
      fs.writeFileSync(path.dirname(directory), "")
      const failure = yield* Effect.flip(Effect.provideService(endVm(id), Paths, paths))
      assert.deepInclude(failure, { code: "state_directory_unusable", path: directory })
    }))
})
