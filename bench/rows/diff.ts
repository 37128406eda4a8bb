import { Effect, Schema } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { DiffPayload } from "../../src/contract/rows/workspace-diff.ts"
import type { Bench } from "../bench.ts"
import { type Plan, side, timed } from "../measure.ts"
import { filesPerFolder, treeOf } from "./tree.ts"

const changes = 20

/** A workspace with the tree of the seed row, a copy of it beside /workspace, and `walk` (bench/floors/walk.c). */
const seeded = async ({ daemon, floorSources, room }: Bench) => {
  const tree = path.join(room.disk, "diff-tree")
  if (!fs.existsSync(tree)) {
    fs.cpSync(treeOf(room.disk), tree, { recursive: true })
    execFileSync("cc", ["-O2", "-static", "-o", path.join(tree, "walk"), path.join(floorSources, "walk.c")])
  }
  const workspace = await daemon.create({ seed_path: tree })
  return { workspace, close: () => daemon.remove(workspace) }
}

const changed = Array.from({ length: changes }, (_, at) => `/workspace/folder-${at * 20}/file-${at % filesPerFolder}`)

export const diff: Plan = {
  name: "diff",
  unit: "ms",
  about:
    `5,000 files with ${changes} changed, compared and as a patch, through the daemon; floor: a C walk of both trees in the guest`,
  budget: { kind: "ratio", atMost: 1.5 },
  prototype: 174,
  rounds: (runs) => runs,
  warmups: 2,
  floor: async (bench) => {
    const { close, workspace } = await seeded(bench)
    await bench.daemon.exec(workspace, "cp", "-a", "/workspace", "/var/copy")
    return side(async () => {
      const [ns = "0"] = (await bench.daemon.output(workspace, "/workspace/walk", "/workspace", "/var/copy")).split(" ")
      return Number(ns) / 1e6
    }, close)
  },
  ours: async (bench) => {
    const { close, workspace } = await seeded(bench)
    await bench.daemon.exec(workspace, "sh", "-c", `for f in ${changed.join(" ")}; do echo changed > $f; done`)
    const payload = await Effect.runPromise(Schema.decodeUnknownEffect(DiffPayload())({ workspace }))
    return side(() =>
      timed(async () => {
        const { files } = await bench.daemon.call((pyro) => pyro.workspace.diff(payload))
        if (files.length !== changes) throw new Error(`${files.length} changes instead of ${changes}`)
      }), close)
  }
}

export const seedAgain: Plan = {
  name: "seed-again",
  unit: "ms",
  about: "a second workspace of 5,000 files, its first command done, pool warm; floor: an empty one",
  budget: { kind: "ratio", atMost: 1, plus: 20 },
  rounds: (runs) => runs,
  warmups: 2,
  floor: async ({ daemon }) =>
    side(async () => {
      await daemon.settled()
      let workspace = ""
      const ms = await timed(async () => {
        workspace = await daemon.create()
        await daemon.exec(workspace, "/bin/true")
      })
      await daemon.remove(workspace)
      return ms
    }),
  ours: async ({ daemon, room }) => {
    const tree = treeOf(room.disk)
    return side(async () => {
      await daemon.settled()
      let workspace = ""
      const ms = await timed(async () => {
        workspace = await daemon.create({ seed_path: tree })
        await daemon.exec(workspace, "/bin/true")
      })
      await daemon.remove(workspace)
      return ms
    })
  }
}
