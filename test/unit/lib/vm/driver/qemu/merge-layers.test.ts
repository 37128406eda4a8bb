import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { mergeLayers, withMerged } from "../../../../../../src/lib/vm/driver/qemu/merge-layers.ts"
import { type Qmp, QmpFailed } from "../../../../../../src/lib/vm/driver/qemu/qmp.ts"
import type { DiskState, VmPaths } from "../../../../../../src/lib/vm/model/record.ts"
import { temporaryFolder } from "../../../../../support/pyro-cli.ts"

const state: DiskState = {
  disks: { seed: "in/0.ext4", overlays: ["in/0.qcow2", "in/1.qcow2", "in/2.qcow2", "run/3.qcow2"] },
  seedNode: "b0",
  overlayNodes: ["w0", "w1", "w2", "w3"],
  next: 4,
  virtualBytes: 1024 * 1024 * 1024
}

/** A monitor that answers `query-jobs` with these statuses, one after the other, and notes what it is told. */
const monitor = (statuses: ReadonlyArray<Readonly<Record<string, string>>>, refuses?: string) => {
  const told: Array<readonly [string, Readonly<Record<string, unknown>> | undefined]> = []
  const left = [...statuses]
  const execute: Qmp["execute"] = (command, args) =>
    Effect.suspend(() => {
      if (command === "query-jobs") return Effect.succeed([{ id: "w4", ...left.shift() }])
      told.push([command, args])
      return command === refuses
        ? Effect.fail(new QmpFailed({ command, kind: "GenericError", detail: "Error flushing drive" }))
        : Effect.succeed({})
    })
  return { told, qmp: { execute } as Qmp }
}

const merging = (qmp: Qmp, from: number) =>
  Effect.acquireUseRelease(
    Effect.sync(() => temporaryFolder("pyro-merge-")),
    ({ folder }) =>
      Effect.suspend(() => {
        const paths = { directory: folder, run: folder } as VmPaths
        return mergeLayers({ qmp, paths, uid: process.getuid?.() ?? 0 }, state, from)
      }),
    ({ remove }) => Effect.sync(remove)
  )

describe("merging layers", () => {
  it("a merge replaces the merged layers by one file", () => {
    assert.deepStrictEqual(withMerged(state, { from: 1, count: 2, file: "" }, "in/4.qcow2"), {
      ...state,
      disks: { ...state.disks, overlays: ["in/0.qcow2", "in/4.qcow2", "run/3.qcow2"] },
      overlayNodes: ["w0", "w4", "w3"],
      next: 5
    })
  })

  it.live("a merge streams over the layers below and ends its job before it writes a name into the header", () =>
    Effect.gen(function*() {
      const { qmp, told } = monitor([{ status: "running" }, { status: "pending" }, { status: "concluded" }])
      yield* merging(qmp, 1)
      assert.deepStrictEqual(told.map(([command]) => command), [
        "blockdev-add",
        "block-stream",
        "job-cancel",
        "job-dismiss",
        "blockdev-reopen",
        "blockdev-del"
      ])
      assert.include(told[0]![1], { "node-name": "w4", backing: "w2" })
      assert.include(told[1]![1], { device: "w4", "base-node": "w0", "auto-finalize": false })
    }))

  it.live("a merge of all layers streams down to the seed", () =>
    Effect.gen(function*() {
      const { qmp, told } = monitor([{ status: "pending" }, { status: "concluded" }])
      yield* merging(qmp, 0)
      assert.include(told[1]![1], { "base-node": "b0" })
    }))

  it.live("a merge fails if its job fails, such as on a full disk", () =>
    Effect.gen(function*() {
      const { qmp } = monitor([{ status: "concluded", error: "No space left on device" }])
      const failure = yield* Effect.flip(merging(qmp, 0))
      assert.include(failure.message, "No space left")
    }))

  it.live("a merge fails if QEMU's buffered data cannot be written", () =>
    Effect.gen(function*() {
      const { qmp } = monitor([{ status: "pending" }, { status: "concluded" }], "blockdev-reopen")
      const failure = yield* Effect.flip(merging(qmp, 0))
      assert.include(failure.message, "flushing")
    }))
})
