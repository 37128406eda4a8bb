import { Effect } from "effect"
import { fillFrom } from "../../system/files/descriptor.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import type { Extent } from "./extents.ts"

/** Reads a disk's bytes from the files of its chain. Reads go forward: none begins before the end of the previous one. */
export class DiskBytes {
  readonly #files: ReadonlyArray<{ readonly path: string; readonly fd: number }>
  readonly #extents: Iterator<Extent, unknown>
  #extent: Extent | undefined

  /** @param files open files, newest first @param extents in the order of the disk */
  constructor(files: ReadonlyArray<{ readonly path: string; readonly fd: number }>, extents: Iterable<Extent>) {
    this.#files = files
    this.#extents = extents[Symbol.iterator]()
    this.#step()
  }

  #step() {
    const { done, value } = this.#extents.next()
    this.#extent = done === true ? undefined : value as Extent
  }

  /** Bytes of the disk from `start` on. Bytes without data are zeros. */
  read(start: number, length: number): Effect.Effect<Buffer, FileFailed> {
    return Effect.gen({ self: this }, function*() {
      const bytes = Buffer.alloc(length)
      for (let extent = this.#extent; extent !== undefined; extent = this.#extent) {
        const from = Math.max(extent.start, start)
        const to = Math.min(extent.start + extent.length, start + length)
        if (from < to) {
          yield* fillFrom(
            this.#files[extent.depth]!,
            bytes.subarray(from - start, to - start),
            extent.offset + from - extent.start
          )
        }
        if (extent.start + extent.length > start + length) break
        this.#step()
      }
      return bytes
    })
  }
}
