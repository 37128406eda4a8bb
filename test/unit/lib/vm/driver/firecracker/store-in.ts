import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { storeBytes } from "../../../../../../src/lib/disk/layer-format.ts"
import { names } from "../../../../../../src/lib/vm/driver/firecracker/machine.ts"
import { newVmId, vmPaths } from "../../../../../../src/lib/vm/model/record.ts"
import { temporaryDirectory } from "../../../disk/temporary-directory.ts"

export const virtualBytes = 1024 * 1024
/** Size of the store of each VM of these tests. */
export const wholeBytes = storeBytes(virtualBytes)
export const ownUid = process.getuid!()

/** The folders of a VM, a seed image, and a function that writes a store. */
export const storeRoom = Effect.gen(function*() {
  const directory = yield* temporaryDirectory
  const paths = vmPaths({ stateDir: directory, cacheDir: directory, memoryDir: directory } as never, newVmId())
  const disk = path.join(directory, "disk")
  for (const folder of [paths.directory, paths.run, paths.images, disk]) fs.mkdirSync(folder, { recursive: true })
  const seed = { path: path.join(disk, "seed.ext4"), virtualBytes }
  fs.writeFileSync(seed.path, "seed")
  /** A file of the disk with this text at its start, or an empty one. */
  const layer = (name: string, text: string) => {
    const file = path.join(disk, name)
    fs.writeFileSync(file, text)
    if (text !== "") fs.truncateSync(file, wholeBytes)
    return file
  }
  return { directory, disk, layer, paths, seed, store: path.join(paths.directory, names.store) }
})

/** The text at the start of a store. */
export const textOf = (file: string) => fs.readFileSync(file, "latin1").replace(/\0+$/, "")

export const isOneFile = (one: string, other: string) => fs.statSync(one).ino === fs.statSync(other).ino
