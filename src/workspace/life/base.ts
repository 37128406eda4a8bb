import { Effect, Option, Schema } from "effect"
import * as path from "node:path"
import {
  type HostToolMissing,
  ImageDamaged,
  type NoSpace,
  type StateDirectoryUnusable
} from "../../contract/errors/errors.ts"
import { linkImage } from "../../disk/workspace-disk.ts"
import { readJson, writeJsonAtomic } from "../../system/files/atomic-file.ts"
import { ensureFolder, exists, removeFile, statEntry } from "../../system/files/entries.ts"
import { toHostErrorOf } from "../../system/files/failure.ts"
import { fileBytes } from "../../system/processes/host.ts"
import type { GuestImages } from "../../vm/guest.ts"

/** Names in a base's folder. */
const files = { environment: "environment.erofs", vmlinux: "vmlinux", initrd: "initrd", record: "base.json" } as const

/** What the held files are; their places follow from the folder, so that it can be moved. */
const Base = Schema.Struct({
  environment: Schema.Struct({ name: Schema.String, digest: Schema.String, sizeBytes: Schema.Int }),
  kernel: Schema.Struct({ digest: Schema.String, vmlinuxBytes: Schema.Int, initrdBytes: Schema.Int })
})

const placesIn = (folder: string) => ({
  environment: path.join(folder, files.environment),
  vmlinux: path.join(folder, files.vmlinux),
  initrd: path.join(folder, files.initrd)
})

/** The images as they are in a folder. */
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
 * Takes hold of a guest's environment, kernel and initramfs in a folder of their user, which is made when it is not there, and gives
 * the images as they are there: guests and templates can be made from those when the cache is gone or has moved on. Images that are
 * held already stay, and are what is given. Safe to repeat after a crash in the middle.
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
    // Last: what is recorded is whole.
    yield* writeJsonAtomic(record, Base, {
      environment: { name: environment.name, digest: environment.digest, sizeBytes },
      kernel: { digest: kernel.digest, vmlinuxBytes, initrdBytes }
    })
    return imagesIn(folder, images)
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostErrorOf(folder)(failure))))

/** The images that `linkBase` has put into a folder; ImageDamaged when they are not all there. */
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
