import * as fs from "node:fs"
import * as path from "node:path"
import { Effect } from "effect"
import { qcow2Header } from "../disk/qcow2.ts"
import { fileFailedAt } from "./failure.ts"
import { names } from "./machine.ts"
import type { VmPaths } from "./record.ts"

/**
 * Puts an image into the folder that the VM's QEMU may only read, by hard link: whoever made it may then remove it without taking it
 * from the VM. Gives its name relative to the VM's folder.
 */
export const placeImage = (paths: VmPaths, image: string, name: string) =>
  Effect.try({
    try: () => {
      fs.linkSync(image, path.join(paths.images, name))
      return `${names.images}/${name}`
    },
    catch: fileFailedAt("disk", paths.images)
  })

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
