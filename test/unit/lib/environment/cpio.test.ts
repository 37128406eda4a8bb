import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { cpioEnd, type CpioEntry, cpioMembers, fileType } from "../../../../src/lib/environment/model/initramfs.ts"
import { scratch } from "./scratch.ts"

const entries: ReadonlyArray<CpioEntry> = [
  { name: "dev", mode: fileType.directory | 0o755 },
  { name: "dev/console", mode: fileType.character | 0o600, device: [5, 1] },
  ...[0, 1, 2, 3, 4, 5].map((length) => ({
    name: `file-${"x".repeat(length)}`,
    mode: fileType.regular | 0o640,
    content: Buffer.alloc(length, 0x61 + length)
  }))
]

const cpioArchive = (members: ReadonlyArray<CpioEntry>) => Buffer.concat([cpioMembers(members, 1), cpioEnd])

describe("cpio archives", () => {
  it("cpio lists the archive with the given types, modes, device numbers and sizes", () => {
    const listed = execFileSync("cpio", ["--list", "--verbose", "--numeric-uid-gid", "--quiet"], {
      input: cpioArchive(entries),
      encoding: "utf8"
    }).trim().split("\n")
    assert.lengthOf(listed, entries.length)
    assert.match(listed[0]!, /^drwxr-xr-x +2 0 +0 +0 .* dev$/)
    assert.match(listed[1]!, /^crw------- +1 0 +0 +5, +1 .* dev\/console$/)
    for (let length = 0; length <= 5; length++) {
      assert.match(listed[2 + length]!, new RegExp(`^-rw-r----- +1 0 +0 +${length} .* file-x{${length}}$`))
    }
  })

  it.live("a cpio archive unpacks to the same content of any length", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const files = entries.filter(({ content }) => content !== undefined)
      execFileSync("cpio", ["--extract", "--quiet", "--directory", folder], { input: cpioArchive(files) })
      for (const { content, name } of files) {
        assert.deepStrictEqual(fs.readFileSync(path.join(folder, name)), content)
      }
    }))

  it("a cpio archive may consist of several pieces", () => {
    const pieces = Buffer.concat([cpioMembers(entries.slice(0, 4), 1), cpioMembers(entries.slice(4), 1000), cpioEnd])
    const listed = execFileSync("cpio", ["--list", "--quiet"], { input: pieces, encoding: "utf8" })
    assert.deepStrictEqual(listed.trim().split("\n"), entries.map(({ name }) => name))
  })

  it("cpio archives of the same members have the same bytes", () => {
    assert.isTrue(cpioArchive(entries).equals(cpioArchive(entries)))
  })
})
