import * as fs from "node:fs"
import * as path from "node:path"
import { runProgram } from "../host-process.ts"
import { type Plan, side, timed } from "../measure.ts"
import { treeOf } from "./tree.ts"

const diskBytes = 16 * 1024 ** 3

export const seed: Plan = {
  name: "seed",
  unit: "ms",
  about:
    "5,000 files, 44 MB, into an ext4 image; floor: mke2fs -d; ours: a seed image, hashed and sealed, none known before",
  budget: { kind: "ratio", atMost: 1.5 },
  prototype: 200,
  rounds: (runs) => Math.ceil(runs / 2),
  warmups: 1,
  floor: async ({ room }) => {
    const tree = treeOf(room.disk)
    const image = path.join(room.disk, "floor-seed.ext4")
    return side(async () => {
      fs.writeFileSync(image, "")
      fs.truncateSync(image, diskBytes)
      const options = "lazy_itable_init=1,lazy_journal_init=1,nodiscard"
      const { ms } = await runProgram(["/sbin/mke2fs", "-q", "-F", "-t", "ext4", "-E", options, "-d", tree, image])
      fs.rmSync(image)
      return ms
    })
  },
  ours: async ({ product, room }) => {
    const tree = treeOf(room.disk)
    return side(async () => {
      const cache = fs.mkdtempSync(path.join(room.disk, "seeds-"))
      const ms = await timed(() => product.seed(tree, cache))
      fs.rmSync(cache, { recursive: true })
      return ms
    })
  }
}
