import fc from "fast-check"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { imageModules } from "../../../support/image-program.ts"
import { type TarEntry, tarOf } from "../../../support/oci/tar.ts"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-layer-entries-"))
// Names that are not UTF-8, too.
const clear = () => void execFileSync("rm", ["-rf", folder])
afterAll(clear)

interface Unpacked {
  readonly kind?: string
  readonly detail?: string
  readonly files: ReadonlyArray<string>
}

/** What the builder makes of each archive over a tree with /etc/passwd, or why it refuses it. Only root gives files to others. */
const unpacked = (archives: ReadonlyArray<Buffer>): ReadonlyArray<Unpacked> => {
  clear()
  fs.mkdirSync(folder)
  for (const [at, archive] of archives.entries()) fs.writeFileSync(path.join(folder, `${at}.tar`), archive)
  const answer = execFileSync("python3", ["-"], {
    input: `${imageModules}
from pyro_image.unpack import apply
if os.geteuid() != 0:
    os.chown = lambda *given, **options: None
answers = []
for number in range(${archives.length}):
    root = f"${folder}/{number}"
    os.makedirs(f"{root}/etc")
    open(f"{root}/etc/passwd", "w").close()
    answer = {}
    with open(f"{root}.tar", "rb") as archive:
        try:
            apply(archive, root)
        except Refused as refused:
            answer = {"kind": refused.kind, "detail": str(refused)}
    files = sorted(os.path.relpath(os.path.join(at, name), root) for at, folders, names in os.walk(root) for name in [*folders, *names])
    answers.append({**answer, "files": files})
print(json.dumps(answers))
`,
    encoding: "utf8",
    maxBuffer: 1 << 28
  })
  return JSON.parse(answer) as ReadonlyArray<Unpacked>
}

const one = (...entries: ReadonlyArray<TarEntry>) => unpacked([tarOf(entries)])[0]!

describe("an entry of a layer that the builder cannot unpack", () => {
  it.each<[reason: string, entries: ReadonlyArray<TarEntry>]>([
    [
      "the entry 'etc/shadow' is a hard link to 'etc/gone', which is not there",
      [{ name: "etc/shadow", type: "1", target: "etc/gone" }]
    ],
    ["the entry 'etc/passwd' is a hard link to itself", [{ name: "etc/passwd", type: "1", target: "./etc/passwd" }]],
    ["the entry 'etc/.wh.' removes no name", [{ name: "etc/.wh." }]],
    ["the entry 'etc/.wh..' removes no name", [{ name: "etc/.wh.." }]],
    ["the entry 'etc/.wh...' removes no name", [{ name: "etc/.wh..." }]],
    ["the entry '.wh.' removes no name", [{ name: ".wh." }]],
    ["the entry '.' is the root, and no directory", [{ name: "." }]],
    ["the entry '/' is the root, and no directory", [{ name: "/", type: "2", target: "etc" }]],
    ["the entry './.' is the root, and no directory", [{ name: "./.", type: "1", target: "etc/passwd" }]],
    [
      "the entry 'long' has the extended attribute 'user.x' of 70000 bytes, which cannot be kept: ",
      [{ name: "long", pax: { "SCHILY.xattr.user.x": "x".repeat(70_000) } }]
    ],
    [
      "the entry 'odd' has the extended attribute 'x' of 1 bytes, which cannot be kept: ",
      [{ name: "odd", pax: { "SCHILY.xattr.x": "x" } }]
    ],
    ["the entry 'etc/passwd/below' cannot be unpacked: ", [{ name: "etc/passwd/below" }]],
    ["the entry 'nowhere/.wh..wh..opq' cannot be unpacked: No such file", [{ name: "nowhere/.wh..wh..opq" }]],
    ["cannot be unpacked: File name too long", [{ name: `${"n".repeat(300)}` }]],
    ["the entry 'etc/link' cannot be unpacked: ", [{ name: "etc/link", type: "1", target: "etc" }]],
    ["the entry 'far' cannot be unpacked: ", [{ name: "far", pax: { mtime: "1e300" } }]],
    ["the entry 'far' cannot be unpacked: ", [{ name: "far/", type: "5", pax: { mtime: "-1e300" } }]],
    ["an entry with .. in its path", [{ name: "../x" }]]
  ])("%s", (reason, entries) => {
    const { detail, files, kind } = one(...entries)
    assert.include(detail, reason)
    assert.strictEqual(kind, "layer")
    assert.notInclude(detail, folder)
    assert.notMatch(detail!, /Errno|Traceback/)
    assert.includeMembers([...files], ["etc", "etc/passwd"])
  })

  it("a sparse file that no disk holds is refused before it is written", () => {
    const { detail, kind } = one({ name: "huge", pax: { "GNU.sparse.map": "1", "GNU.sparse.size": String(2 ** 60) } })
    assert.deepStrictEqual([kind, detail], [
      "full",
      `the entry 'huge' has ${2 ** 60} bytes, more than the builder's disk takes`
    ])
  })

  it("an archive that ends too early, or is none, is named as such", () => {
    const whole = tarOf([{ name: "a", data: "x".repeat(2000) }])
    const [cut, none] = unpacked([whole.subarray(0, 1024), Buffer.alloc(2048, "no archive")])
    for (const answer of [cut!, none!]) {
      assert.include(answer.detail, "a layer is no whole tar archive: ")
      assert.strictEqual(answer.kind, "layer")
    }
  })

  it("what images have is unpacked as before", () => {
    const { detail, files } = one(
      { name: "./", type: "5", mode: 0o755 },
      { name: "./etc/shadow", type: "1", target: "etc/passwd" },
      { name: "usr/bin/tool", data: "x" },
      { name: "usr/.wh.gone" },
      { name: "etc/.wh.passwd" }
    )
    assert.isUndefined(detail)
    assert.deepStrictEqual(files, ["etc", "etc/shadow", "usr", "usr/bin", "usr/bin/tool"])
  })
})

/** Headers of any numbers and names, with a sum that is right. */
const header = fc.record({
  name: fc.oneof(
    fc.constantFrom(".", "/", "etc/.wh.", ".wh..wh..opq", "a/b", "a", "etc/passwd", "\u00ff"),
    fc.string()
  ),
  type: fc.constantFrom("0", "1", "2", "3", "5", "4", "6", "7", "S", "V", "M", "D", "g", "x", "L", "K", "q"),
  target: fc.constantFrom("", ".", "a", "etc/passwd", "/", "..", "a/b"),
  mode: fc.nat(0o7777777),
  uid: fc.oneof(fc.nat(100_000), fc.nat(0xffffffff)),
  gid: fc.nat(0o7777777),
  data: fc.string(),
  device: fc.tuple(fc.nat(0o7777777), fc.nat(0o7777777)),
  pax: fc.dictionary(
    fc.constantFrom(
      "path",
      "linkpath",
      "size",
      "mtime",
      "uid",
      "SCHILY.xattr.user.x",
      "SCHILY.xattr.",
      "GNU.sparse.map"
    ),
    fc.oneof(fc.constantFrom("-1", "1e400", "nan", "99999999999999999999", "a\u0000b", ".", ""), fc.string())
  )
})

it("no archive makes the unpacker of layers fail with more than a reason", () => {
  const archives = fc.sample(fc.array(header, { minLength: 1, maxLength: 6 }), { numRuns: 300, seed: 62 })
    .map((entries) => tarOf(entries as unknown as ReadonlyArray<TarEntry>))
  for (const { detail = "", kind } of unpacked(archives)) {
    assert.oneOf(kind, [undefined, "layer", "full"], detail)
    assert.notMatch(detail, /Errno/)
    assert.notInclude(detail, folder)
  }
})
