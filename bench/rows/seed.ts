import * as fs from "node:fs"
import * as path from "node:path"
import { runProgram } from "../host-process.ts"
import { type Plan, side, timed } from "../measure.ts"

const files = 5000
const filesPerFolder = 10
/** 44 MB in all. */
const averageBytes = 8800
const diskBytes = 16 * 1024 ** 3

/** Sizes from 100 bytes to twice the average, content that does not compress; the same in every run. */
const makeTree = (tree: string) => {
  let state = 1
  const next = () => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0)
  const content = Buffer.alloc(2 * averageBytes)
  for (let at = 0; at + 4 <= content.length; at += 4) content.writeUInt32LE(next(), at)
  for (let index = 0; index < files; index++) {
    const folder = path.join(tree, `folder-${Math.floor(index / filesPerFolder)}`)
    if (index % filesPerFolder === 0) fs.mkdirSync(folder, { recursive: true })
    content.writeUInt32LE(next(), 0)
    const size = 100 + next() % (2 * averageBytes - 200)
    fs.writeFileSync(path.join(folder, `file-${index % filesPerFolder}`), content.subarray(0, size))
  }
}

const treeOf = (folder: string) => {
  const tree = path.join(folder, "seed-tree")
  if (!fs.existsSync(tree)) makeTree(tree)
  return tree
}

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
