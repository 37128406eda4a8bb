import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { ImageDamaged } from "../../../../contract/errors/errors.ts"
import { keepReadOnly } from "../../../../system/files/content.ts"
import { attempt, isMissing } from "../../../../system/files/failure.ts"
import { processesWithArgument } from "../../../../system/processes/identity.ts"
import { openVerifiedQcow2, qcow2Header } from "../../../disk/qcow2.ts"
import { type DiskSource, linkImage } from "../../../disk/workspace-disk.ts"
import { failedAt, fileFailedAt } from "../../model/failure.ts"
import type { MachineSpec } from "../../model/machine.ts"
import { processName, type VmPaths } from "../../model/record.ts"
import { names } from "./machine.ts"

/** Links an image into the folder that the VM's QEMU may only read. Gives its name relative to the VM's folder. */
const placeImage = (paths: VmPaths, image: string, name: string) =>
  linkImage(image, path.join(paths.images, name)).pipe(
    Effect.mapError((failure) => failure._tag === "StateDirectoryUnusable" ? failedAt("disk")(failure) : failure),
    Effect.as(`${names.images}/${name}`)
  )

/** Writes a qcow2 overlay for the VM, empty or with `content`. Gives its name relative to the VM's folder. */
export const placeOverlay = (paths: VmPaths, uid: number, virtualBytes: number, name: string, content?: string) =>
  attempt("open", paths.run, () => {
    const fd = fs.openSync(path.join(paths.run, name), "wx", 0o600)
    try {
      fs.writeSync(fd, content === undefined ? qcow2Header({ virtualBytes }) : fs.readFileSync(content))
      if (uid !== process.getuid?.()) fs.fchownSync(fd, uid, uid)
    } finally {
      fs.closeSync(fd)
    }
    return `${names.run}/${name}`
  }).pipe(Effect.mapError(fileFailedAt("disk", paths.run)))

/** Links a frozen layer, which an earlier QEMU wrote: verifies its header, and removes all rights to write it. */
export const placeLayer = (paths: VmPaths, layer: string, virtualBytes: number, name: string) =>
  Effect.scoped(Effect.gen(function*() {
    const fd = yield* openVerifiedQcow2(layer, { virtualBytes, mayBeSmaller: true })
    yield* Effect.mapError(keepReadOnly(fd, layer), fileFailedAt("disk", layer))
    return yield* placeImage(paths, layer, name)
  }))

/** A living VM that writes this file. */
const writerOf = (paths: VmPaths, inode: number) => {
  const vms = path.dirname(paths.directory)
  return fs.readdirSync(vms).filter((id) => path.join(vms, id) !== paths.directory).find((id) => {
    try {
      const run = path.join(vms, id, names.run)
      return fs.readdirSync(run).some((name) => fs.lstatSync(path.join(run, name)).ino === inode) &&
        processesWithArgument(processName(id)).length > 0
    } catch {
      return false // it is just being removed
    }
  })
}

/**
 * Links an overlay, perhaps written by an earlier VM, into the folder that this VM's QEMU may write. It is never copied, so both names must
 * be on one file system. Its header is verified first.
 */
export const placeTop = (paths: VmPaths, uid: number, top: string, virtualBytes: number, name: string) =>
  Effect.scoped(Effect.gen(function*() {
    const fd = yield* openVerifiedQcow2(top, { virtualBytes })
    const refusal = yield* attempt("link", top, () => {
      const { ino, nlink, uid: owner } = fs.fstatSync(fd)
      const writer = nlink > 1 ? writerOf(paths, ino) : undefined
      if (writer !== undefined) return `${top} is being written by ${writer}`
      fs.fchmodSync(fd, 0o600)
      if (owner !== uid) fs.fchownSync(fd, uid, uid)
      const linked = path.join(paths.run, name)
      fs.linkSync(top, linked)
      return fs.lstatSync(linked).ino === ino ? undefined : `${top} was replaced meanwhile`
    }).pipe(
      Effect.mapError((failure) =>
        isMissing(failure) ? new ImageDamaged({ path: top, detail: "it is gone" }) : fileFailedAt("disk", top)(failure)
      )
    )
    if (refusal !== undefined) return yield* failedAt("disk")(new Error(refusal))
    return `${names.run}/${name}`
  }))

/** Links the file for the guest's result, or makes an empty one that goes with the VM, which a template has. */
export const placeResult = (paths: VmPaths, uid: number, { resultMib }: MachineSpec, file: string | undefined) =>
  attempt("link", paths.run, () => {
    if (resultMib === undefined) return
    const placed = path.join(paths.directory, names.result)
    if (file === undefined) fs.closeSync(fs.openSync(placed, "wx", 0o600))
    else fs.linkSync(file, placed)
    fs.truncateSync(placed, resultMib * 1024 * 1024)
    if (uid !== process.getuid?.()) fs.chownSync(placed, uid, uid)
  }).pipe(Effect.mapError(fileFailedAt("disk", paths.run)))

/** Gives this VM's overlay the name `top`, in place of an empty one: the reverse of `placeTop`. Both names must be on one file system. */
export const nameOverlay = (paths: VmPaths, overlay: string, top: string) =>
  attempt("link", top, () => {
    const linked = `${top}.tmp`
    fs.linkSync(path.join(paths.directory, overlay), linked)
    fs.renameSync(linked, top)
  }).pipe(Effect.mapError(fileFailedAt("disk", top)))

/** Gives an empty overlay the content of another one. A reader finds the old file or the new one. */
const fillOverlay = (overlay: string, content: string) =>
  attempt("copyfile", overlay, () => {
    const filled = `${overlay}.tmp`
    fs.copyFileSync(content, filled)
    fs.renameSync(filled, overlay)
  }).pipe(Effect.mapError(fileFailedAt("disk", overlay)))

/** Links all files of a disk for the VM's QEMU, numbered from `first`. With `content`, the empty overlay on top begins as a copy of it. */
export const placeDisk = (paths: VmPaths, uid: number, disk: DiskSource, first: number, content?: string) =>
  Effect.gen(function*() {
    const { virtualBytes } = disk.seed
    const seed = yield* placeImage(paths, disk.seed.path, `${first}.ext4`)
    const layers = yield* Effect.forEach(
      disk.layers ?? [],
      (layer, index) => placeLayer(paths, layer, virtualBytes, `${first + index}.qcow2`)
    )
    const last = `${first + layers.length}.qcow2`
    if (content !== undefined && disk.top !== undefined) yield* fillOverlay(disk.top, content)
    const top = disk.top === undefined
      ? yield* placeOverlay(paths, uid, virtualBytes, last, content)
      : yield* placeTop(paths, uid, disk.top, virtualBytes, last)
    return { seed, layers, top }
  })
