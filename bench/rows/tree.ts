import * as fs from "node:fs"
import * as path from "node:path"

export const files = 5000
export const filesPerFolder = 10
/** 44 MB in all. */
const averageBytes = 8800

/** Sizes from 100 bytes to twice the average, with incompressible content, equal in every run. */
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

/** The tree of the seed and diff rows, made once in a folder. */
export const treeOf = (folder: string) => {
  const tree = path.join(folder, "seed-tree")
  if (!fs.existsSync(tree)) makeTree(tree)
  return tree
}
