import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import {
  type HostToolMissing,
  ImageDamaged,
  type NoSpace,
  type StateDirectoryUnusable
} from "../../../contract/errors/errors.ts"
import { linkImage } from "../../../lib/disk/workspace-disk.ts"
import type { GuestImages } from "../../../lib/vm/model/guest.ts"
import { readJson, writeJsonAtomic } from "../../../system/files/atomic-file.ts"
import { ensureFolder, exists, removeFile, statEntry } from "../../../system/files/entries.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import { fileBytes } from "../../../system/processes/host.ts"

/** Names in a base's folder. */
const files = { environment: "environment.erofs", vmlinux: "vmlinux", initrd: "initrd", record: "base.json" } as const

/** Description of the linked files. Their paths follow from the folder, so that it can be moved. */
const Base = Schema.Struct({
  environment: Schema.Struct({ name: Schema.String, digest: Schema.String, sizeBytes: Schema.Int }),
  kernel: Schema.Struct({ digest: Schema.String, vmlinuxBytes: Schema.Int, initrdBytes: Schema.Int })
})

const placesIn = (folder: string) => ({
  environment: path.join(folder, files.environment),
  vmlinux: path.join(folder, files.vmlinux),
  initrd: path.join(folder, files.initrd)
})

/** The images in a folder. */
const imagesIn = (
  folder: string,
  { environment, kernel }: {
    readonly environment: { readonly name: string; readonly digest: string }
    readonly kernel: { readonly digest: string }
  }
): GuestImages => {
  const places = placesIn(folder)
  return {
    environment: { name: environment.name, digest: environment.digest, imagePath: places.environment },
    kernel: { digest: kernel.digest, vmlinux: places.vmlinux, initrd: places.initrd }
  }
}

/**
 * Links a guest's environment, kernel and initramfs into a folder of its workspace, which is made if it is missing. Gives the linked
 * images: guests and templates can use them after the cache is emptied or updated. Images that are linked already stay, and are the result.
 * Safe to repeat after a crash.
 */
export const linkBase = (
  folder: string,
  images: GuestImages
): Effect.Effect<GuestImages, NoSpace | HostToolMissing | StateDirectoryUnusable | ImageDamaged> =>
  Effect.gen(function*() {
    const record = path.join(folder, files.record)
    if (exists(record)) return yield* linkedBase(folder)
    const places = placesIn(folder)
    const hold = (image: string, held: string) =>
      removeFile(held).pipe(Effect.andThen(linkImage(image, held)), Effect.map(() => fileBytes(held)))
    yield* ensureFolder(folder)
    const { environment, kernel } = images
    const sizeBytes = yield* hold(environment.imagePath, places.environment)
    const vmlinuxBytes = yield* hold(kernel.vmlinux, places.vmlinux)
    const initrdBytes = yield* hold(kernel.initrd, places.initrd)
    // Last: a record means that all files are complete.
    yield* writeJsonAtomic(record, Base, {
      environment: { name: environment.name, digest: environment.digest, sizeBytes },
      kernel: { digest: kernel.digest, vmlinuxBytes, initrdBytes }
    })
    return imagesIn(folder, images)
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(folder)(failure))))

/** The images that `linkBase` has linked into a folder. Fails with ImageDamaged if they are not complete. */
export const linkedBase = (folder: string): Effect.Effect<GuestImages, ImageDamaged> =>
  Effect.gen(function*() {
    const damaged = (file: string, detail: string) => new ImageDamaged({ path: file, detail })
    const record = path.join(folder, files.record)
    const found = yield* Effect.mapError(readJson(record, Base), ({ detail }) => damaged(record, detail))
    if (Option.isNone(found)) return yield* damaged(record, "it is gone")
    const { environment, kernel } = found.value
    const places = placesIn(folder)
    const sizes = [
      [places.environment, environment.sizeBytes],
      [places.vmlinux, kernel.vmlinuxBytes],
      [places.initrd, kernel.initrdBytes]
    ] as const
    for (const [file, bytes] of sizes) {
      const stat = yield* Effect.mapError(statEntry(file), ({ detail }) => damaged(file, detail))
      if (stat === undefined) return yield* damaged(file, "it is gone")
      if (stat.size !== bytes) return yield* damaged(file, `it has ${stat.size} bytes instead of ${bytes}`)
    }
    return imagesIn(folder, found.value)
  })
