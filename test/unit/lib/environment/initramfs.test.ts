import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { buildInitramfs } from "../../../../src/lib/environment/model/initramfs.ts"
import { scratch } from "./scratch.ts"

const pageBytes = 4096

describe("the initramfs", () => {
  it.live("the initramfs fills whole pages, so it ends before the page of the ACPI tables", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const file = (name: string) => path.join(folder, name)
      fs.writeFileSync(file("modules"), randomBytes(512))
      for (const length of [0, 1, 5000, 70_001]) {
        fs.writeFileSync(file("agent"), randomBytes(length))
        yield* buildInitramfs({ agent: file("agent"), bootModules: file("modules"), target: file(`initrd-${length}`) })
        const image = fs.readFileSync(file(`initrd-${length}`))
        assert.strictEqual(image.length % pageBytes, 0)
        assert.strictEqual(image.readUInt32LE(image.length - 4), 0)
        assert.isTrue(image.subarray(-pageBytes - 4).some((byte) => byte !== 0))
        assert.strictEqual(image.readUInt32LE(0), 0x184c2102) // lz4's older frame format
      }
    }))
})
