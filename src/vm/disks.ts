import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { holdImage } from "../disk/hold.ts"
import { qcow2Header } from "../disk/qcow2.ts"
import { failedAt, fileFailedAt } from "./failure.ts"
import { names } from "./machine.ts"
import type { VmPaths } from "./record.ts"

/** Takes hold of an image in the folder that the VM's QEMU may only read. Gives its name relative to the VM's folder. */
export const placeImage = (paths: VmPaths, image: string, name: string) =>
  holdImage(image, path.join(paths.images, name)).pipe(
    Effect.mapError((failure) => failure._tag === "StateDirectoryUnusable" ? failedAt("disk")(failure) : failure),
    Effect.as(`${names.images}/${name}`)
  )

/** Writes an empty qcow2 overlay that the VM may grow; gives its name relative to the VM's folder. */
export const makeOverlay = (paths: VmPaths, uid: number, virtualBytes: number, name: string) =>
  Effect.try({
    try: () => {
      const fd = fs.openSync(path.join(paths.run, name), "wx", 0o600)
      try {
        fs.writeSync(fd, qcow2Header({ virtualBytes }))
        if (uid !== process.getuid?.()) fs.fchownSync(fd, uid, uid)
      } finally {
        fs.closeSync(fd)
      }
      return `${names.run}/${name}`
    },
    catch: fileFailedAt("disk", paths.run)
  })
