import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { withoutBinaries } from "../../../src/mcp/tools/diff.ts"

const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-binaries-"))
afterAll(() => fs.rmSync(folder, { recursive: true }))

const git = (...args: ReadonlyArray<string>) =>
  execFileSync("git", ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@b", ...args], { encoding: "utf8" })

/** Bytes that do not compress. */
const noise = (sizeBytes: number) => {
  let state = 1
  return Buffer.from(Array.from({ length: sizeBytes }, () => (state = state * 48_271 % 2_147_483_647) & 0xff))
}
const write = (name: string, content: string | Buffer) => fs.writeFileSync(path.join(folder, name), content)

describe("a patch for a model", () => {
  it("a binary file is a note with its size, and every text stays as it is", () => {
    git("init", "-q")
    write("changed.bin", noise(900))
    write("gone.bin", noise(2_048))
    write("text", "GIT binary patch\nliteral 4\nabcd\n\nend\n")
    git("add", "-A")
    git("commit", "-qm", "first")
    const text = fs.readFileSync(path.join(folder, "text"), "utf8")
    write("changed.bin", Buffer.concat([noise(900), noise(3_000)]))
    fs.rmSync(path.join(folder, "gone.bin"))
    write("new.bin", noise(27 * 1_024))
    write("text", text.replace("abcd", "abc"))
    git("add", "-A")
    const patch = git("diff", "--cached", "--binary")
    const told = withoutBinaries(patch)
    assert.include(patch, "GIT binary patch\nliteral 27648\n")
    assert.match(told, /diff --git a\/changed\.bin b\/changed\.bin\nindex [^\n]+\n\(binary, [\d.]+ KiB\)\ndiff --git /)
    assert.match(told, /a\/gone\.bin [^(]+\n\(binary, 2\.0 KiB\)\ndiff --git a\/new\.bin/)
    assert.match(
      told,
      /b\/new\.bin\nnew file mode 100644\nindex [^\n]+\n\(binary, 27\.0 KiB\)\ndiff --git a\/text b\/text\n/
    )
    assert.strictEqual(told.slice(told.indexOf("diff --git a/text")), patch.slice(patch.indexOf("diff --git a/text")))
    assert.include(told, " GIT binary patch\n literal 4\n-abcd\n+abc\n")
    assert.isBelow(told.length, 1_500)
  })

  it("a patch that ends within a binary file has the note too", () => {
    const patch = "diff --git a/x b/x\nindex 1..2\nGIT binary patch\nliteral 4096\nzcmabc\nzabcd"
    assert.strictEqual(withoutBinaries(patch), "diff --git a/x b/x\nindex 1..2\n(binary, 4.0 KiB)\n")
  })
})
