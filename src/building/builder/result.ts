import { Effect } from "effect"
import { makeResultDisk, type ResultDisk, takeResult } from "../../lib/disk/result-disk.ts"
import { setting } from "../../system/settings/config.ts"
import { failed } from "./files.ts"

/** The disk for its result in a builder. */
export const RESULT_DEVICE = "/dev/vdd"

/** A disk for the image of a builder, with a copy of `base` or empty. */
export const imageDisk = (base?: string) =>
  Effect.flatMap(setting("PYRO_BUILDER_DISK_MIB"), (mib) => makeResultDisk(mib, base))

/** Gives the image of a builder the name `target`. Call it when the builder is deleted. */
export const takeImage = (disk: ResultDisk, sizeBytes: number, { file, reference }: {
  readonly file: string
  readonly reference: string
}) =>
  sizeBytes > 0 && sizeBytes <= disk.mib * 1024 * 1024
    ? takeResult(disk, sizeBytes, file)
    : failed(reference, "image", `its builder made an image of ${sizeBytes} bytes`)
