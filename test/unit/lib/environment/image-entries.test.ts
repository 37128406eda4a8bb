import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { imageModules } from "../../../support/image-program.ts"
import { type TarEntry, tarOf } from "../../../support/oci/tar.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-entries-test-")
afterAll(remove)

interface Seen {
  readonly isWhole: boolean
  readonly gaveUp: boolean
  readonly touchesModules: boolean
  readonly directories: Readonly<Record<string, ReadonlyArray<number>>>
}

/** What the builder sees of an archive that passes in pieces of this size. */
const seen = (archive: Buffer, pieceBytes = 512): Seen => {
  const file = path.join(folder, "archive.tar")
  fs.writeFileSync(file, archive)
  const answer = execFileSync("python3", ["-"], {
    input: `${imageModules}
from pyro_image.entries import Entries, directories_of
entries = Entries(${JSON.stringify(`${file}.kept`)})
with open(${JSON.stringify(file)}, "rb") as archive:
    while piece := archive.read(${pieceBytes}):
        entries.see(piece)
whole = entries.end()
directories = {name: list(one) for name, one in directories_of(${JSON.stringify(`${file}.kept`)}, "r:")}
print(json.dumps({"isWhole": whole, "gaveUp": entries.gave_up, "touchesModules": entries.touches_modules, "directories": directories}))
`,
    encoding: "utf8"
  })
  return JSON.parse(answer) as Seen
}

const TIME = 1_577_836_800
const LONG = `deep/${"d".repeat(120)}/${"e".repeat(150)}`

const layer: ReadonlyArray<TarEntry> = [
  { name: "etc/", type: "5", mode: 0o700, uid: 7, gid: 8 },
  { name: "etc/large", data: "x".repeat(5000) },
  { name: "etc/link", type: "2", target: "large" },
  // A header of a directory, as the content of a file.
  { name: "etc/forged", data: tarOf([{ name: "forged/", type: "5" }]) },
  { name: `${LONG}/`, type: "5", mode: 0o711, uid: 4_294_967_294 },
  { name: "etc/empty", data: "" },
  { name: "last/", type: "5", mode: 0o755 }
]

describe("the directories of a layer that passes", () => {
  it.each([512, 1536, 1 << 20])("are kept with owners, modes and long names, from pieces of %d bytes", (pieceBytes) => {
    assert.deepStrictEqual(seen(tarOf(layer), pieceBytes), {
      isWhole: true,
      gaveUp: false,
      touchesModules: false,
      directories: {
        "/etc": [0o700, 7, 8, TIME],
        [`/${LONG}`]: [0o711, 4_294_967_294, 0, TIME],
        "/last": [0o755, 0, 0, TIME]
      }
    })
  })

  it("are kept from an archive without an end", () => {
    const { directories, isWhole } = seen(tarOf(layer, Buffer.alloc(0)))
    assert.isTrue(isWhole)
    assert.containsAllKeys(directories, ["/etc", "/last"])
  })

  it("are kept beside a file whose size is in its attributes alone", () => {
    const data = "y".repeat(4096)
    const archive = tarOf([{ name: "large", data, pax: { size: String(data.length) } }, { name: "after/", type: "5" }])
    // The header of the file follows its attributes, and says nothing of the size.
    const at = 1024 + 124
    archive.write("00000000000\0", at, "latin1")
    assert.hasAllKeys(seen(archive).directories, ["/after"])
  })

  it.each([
    ["a header of an older form", (archive: Buffer) => archive.fill(0, 257, 265)],
    ["a size that is no number", (archive: Buffer) => archive.write("9", 124, "latin1")],
    ["attributes of many MiB", (archive: Buffer) => archive.write("00777777777\0", 124, "latin1")]
  ])("are not known from %s", (_, change) => {
    const archive = tarOf([{ name: `${LONG}/`, type: "5" }])
    change(archive)
    assert.deepInclude(seen(archive), { gaveUp: true, directories: {} })
  })
})

describe("a layer", () => {
  const archive = tarOf([{ name: "file", data: "x".repeat(5000) }])
  const attributes = tarOf([{ name: `${LONG}/file`, data: "" }], Buffer.alloc(0))
  it.each([
    ["a file", archive, 2048],
    ["the last block of a file", archive, 5120],
    ["attributes", attributes, 700]
  ])("that ends within %s is not whole", (_, whole, bytes) => {
    assert.isFalse(seen(whole.subarray(0, bytes)).isWhole)
  })

  it.each<[string, TarEntry, boolean]>([
    ["a file beneath the kernel's modules", { name: "./usr/lib/modules/6.1/extra.ko", data: "x" }, true],
    ["a long name there", { name: `usr/lib/modules/${"d".repeat(300)}`, data: "x" }, true],
    ["a name there in attributes", { name: "x", data: "", pax: { path: "usr/lib//modules/x" } }, true],
    ["a mark of a removed directory above", { name: "usr/.wh.lib", data: "" }, true],
    ["a mark that hides what is below", { name: "usr/.wh..wh..opq", data: "" }, true],
    ["a mark elsewhere", { name: "etc/.wh.passwd", data: "" }, false],
    ["a link by that name", { name: "etc/link", type: "2", target: "../usr/lib/modules" }, false]
  ])("with %s may or may not change the modules", (_, entry, expected) => {
    assert.strictEqual(seen(tarOf([...layer, entry])).touchesModules, expected)
  })

  it("that ends within its end is whole", () => {
    assert.isTrue(seen(archive.subarray(0, archive.length - 512)).isWhole)
  })
})
