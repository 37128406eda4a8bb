import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import type { Guest } from "../../../../src/lib/vm/model/guest.ts"
import { guestContent } from "../../../../src/workspace/disk/guest-content.ts"

/** A guest whose device has these bytes, and what was read of it. */
const guestOf = (device: Buffer) => {
  const asked: Array<unknown> = []
  const guest = {
    channel: {
      read: ({ limit, offset, ...rest }: { readonly limit: number; readonly offset: number }) => {
        asked.push({ limit, offset, ...rest })
        const bytes = device.subarray(offset, offset + limit)
        return Stream.make(bytes.subarray(0, 3), bytes.subarray(3))
      }
    },
    vm: { steps: { diskDevice: "/dev/dm-0" } }
  } as unknown as Guest
  return { asked, guest }
}

const device = Buffer.from("abcdefghijklmnop")

describe("the content of a disk that its guest alone can read", () => {
  it.effect("bytes outside the ranges are zeros, and the device is asked for each piece once", () =>
    Effect.gen(function*() {
      const { asked, guest } = guestOf(device)
      const ranges = [{ start: 1, length: 2 }, { start: 6, length: 4 }, { start: 15, length: 1 }]
      const content = guestContent(guest, ranges, device.length)
      const pieces = [yield* content.read(0, 8), yield* content.read(8, 8)]
      assert.deepStrictEqual(pieces.map((piece) => piece.toString()), ["\0bc\0\0\0gh", "ij\0\0\0\0\0p"])
      assert.deepStrictEqual(asked, [
        { root: "", path: "/dev/dm-0", offset: 0, limit: 8, device: true },
        { root: "", path: "/dev/dm-0", offset: 8, limit: 8, device: true }
      ])
    }))

  it.effect("a piece beyond the end of the disk ends with zeros", () =>
    Effect.gen(function*() {
      const { guest } = guestOf(device)
      const content = guestContent(guest, [{ start: 0, length: 16 }], 16)
      assert.strictEqual((yield* content.read(12, 8)).toString(), "mnop\0\0\0\0")
    }))

  it.effect("a device that is shorter than its disk is damaged, and never padded", () =>
    Effect.gen(function*() {
      const { guest } = guestOf(device)
      const content = guestContent(guest, [{ start: 0, length: 32 }], 32)
      assert.strictEqual((yield* Effect.flip(content.read(8, 16)))._tag, "DiskDamaged")
    }))
})
