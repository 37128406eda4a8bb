import * as fc from "fast-check"
import { assert, describe, it } from "vitest"
import { nameConflicts, nameKey, nameProblem, type NameSystem } from "../../../../src/system/files/portable-names.ts"

const bytes = (text: string) => Buffer.from(text, "utf8")
const problem = (name: string, system: NameSystem) => nameProblem(bytes(name), system)
const conflicts = (paths: ReadonlyArray<string>, system: NameSystem) =>
  nameConflicts(paths.map(bytes), system).map(({ path, reason }) => [Buffer.from(path).toString(), reason] as const)

describe("names that a system cannot have", () => {
  it.each<readonly [string, string]>([
    ["a:b", "Windows has no names with :"],
    ["a\\b", "Windows has no names with \\"],
    ...Array.from("<>\"|?*", (one) => [`x${one}`, `Windows has no names with ${one}`] as const),
    ["a\u0001", "Windows has no names with a control character"],
    ["a\n", "Windows has no names with a control character"],
    ["a.", "Windows drops a dot or a space at the end of a name"],
    ["a ", "Windows drops a dot or a space at the end of a name"],
    ["...", "Windows drops a dot or a space at the end of a name"],
    ["CON", "CON is a device of Windows"],
    ["nul", "nul is a device of Windows"],
    ["aux.txt", "aux is a device of Windows"],
    ["Prn.tar.gz", "Prn is a device of Windows"],
    ["com1", "com1 is a device of Windows"],
    ["LPT9.log", "LPT9 is a device of Windows"],
    ["COM\u00b9", "COM\u00b9 is a device of Windows"],
    ["lpt\u00b3.x", "lpt\u00b3 is a device of Windows"],
    ["nul .txt", "nul is a device of Windows"],
    ["CONOUT$", "CONOUT$ is a device of Windows"],
    ["x".repeat(256), "its name is too long"]
  ])("%j is no name of Windows", (name, reason) => {
    assert.strictEqual(problem(name, "windows"), reason)
  })

  it.each([
    "con1",
    "nul_",
    "com",
    "com10",
    "auxiliary.c",
    ".con",
    "lpt\u00b4",
    "a b",
    "~1",
    "a..b",
    "x".repeat(255),
    "\ud83d\ude00"
  ])(
    "%j is a name of Windows and of macOS",
    (name) => {
      assert.isUndefined(problem(name, "windows"))
      assert.isUndefined(problem(name, "macos"))
    }
  )

  it.each(["a:b", "a\\b", "CON", "a."])("%j is a name of macOS", (name) => {
    assert.isUndefined(problem(name, "macos"))
  })

  it("a name that is not UTF-8 is none of both", () => {
    for (const system of ["windows", "macos"] as const) {
      assert.strictEqual(nameProblem(Uint8Array.of(0x61, 0xff), system), "its name is not UTF-8")
    }
  })

  it("Windows counts UTF-16 units of a name, and macOS bytes", () => {
    assert.isUndefined(problem("\u20ac".repeat(255), "windows"))
    assert.strictEqual(problem("\u20ac".repeat(86), "macos"), "its name is too long")
    assert.strictEqual(problem("\ud83d\ude00".repeat(128), "windows"), "its name is too long")
  })
})

describe("names that are one file", () => {
  it.each<readonly [string, string, boolean, boolean]>([
    ["README", "readme", true, true],
    ["\u00c4", "\u00e4", true, true],
    ["stra\u00dfe", "STRASSE", false, true],
    ["\u1e9e", "ss", false, true],
    ["\u03a3", "\u03c2", true, true],
    ["\ufb01", "FI", false, true],
    ["\u212a", "k", true, true],
    ["\u00e9", "e\u0301", false, true],
    ["\uac00", "\u1100\u1161", false, true],
    ["a\u200cb", "ab", false, true],
    ["\ufeffa", "a", false, true],
    ["\u0131", "i", false, false],
    ["a", "b", false, false],
    ["a1", "a2", false, false],
    ["\u13a0", "\uab70", true, true]
  ])("%j and %j: on Windows %s, on macOS %s", (one, other, onWindows, onMac) => {
    assert.strictEqual(nameKey(one, "windows") === nameKey(other, "windows"), onWindows)
    assert.strictEqual(nameKey(one, "macos") === nameKey(other, "macos"), onMac)
  })

  it("names the second of two, at the folder in which they differ, and nothing beneath it", () => {
    assert.deepStrictEqual(conflicts(["src", "src/a", "SRC", "SRC/a", "SRC/b", "src/A"], "windows"), [
      ["SRC", "it is one file with src on Windows"],
      ["src/A", "it is one file with src/a on Windows"]
    ])
    assert.deepStrictEqual(conflicts(["src", "src/a", "lib", "lib/a"], "windows"), [])
  })

  it("names a folder that Windows cannot have once, and not what is in it", () => {
    assert.deepStrictEqual(conflicts(["aux", "aux/a", "aux/b", "b", "b/nul.txt"], "windows"), [
      ["aux", "aux is a device of Windows"],
      ["b/nul.txt", "nul is a device of Windows"]
    ])
  })

  it("paths without the folders above them are judged as with them", () => {
    assert.deepStrictEqual(conflicts(["Src/a", "src/b"], "macos"), [["src/b", "it is one file with Src on macOS"]])
    assert.deepStrictEqual(conflicts(["a/con/b"], "windows"), [["a/con/b", "con is a device of Windows"]])
  })
})

const letters = fc.fullUnicodeString({ minLength: 1, maxLength: 8 }).map((text) => text.replaceAll(/[/\0]/g, "_"))

describe("any names", () => {
  it("the key of a name is that of its other forms", () => {
    fc.assert(
      fc.property(letters, (name) => {
        assert.strictEqual(nameKey(name.normalize("NFC"), "macos"), nameKey(name.normalize("NFD"), "macos"))
        assert.strictEqual(nameKey(nameKey(name, "macos"), "macos"), nameKey(name, "macos"))
        assert.strictEqual(nameKey(nameKey(name, "windows"), "windows"), nameKey(name, "windows"))
      }),
      { numRuns: 2_000 }
    )
  })

  it("of what is let through, no two paths have the same key, and no name is forbidden", () => {
    const name = fc.oneof(letters, fc.constantFrom("a", "A", "con", "CON.x", "b.", "\u00e9", "e\u0301", "ss", "\u00df"))
    const tree = fc.array(fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => parts.join("/")), {
      maxLength: 12
    })
    fc.assert(
      fc.property(tree, fc.constantFrom<NameSystem>("windows", "macos"), (paths, system) => {
        const unique = [...new Set(paths)].filter((path) => path.isWellFormed()).sort()
        const bad = conflicts(unique, system).map(([path]) => path)
        const left = unique.filter((path) => !bad.some((one) => path === one || path.startsWith(`${one}/`)))
        const keys = new Map<string, string>()
        for (const path of left) {
          const parts = path.split("/")
          parts.forEach((part, at) => {
            assert.isUndefined(problem(part, system))
            const prefix = parts.slice(0, at + 1).join("/")
            const key = parts.slice(0, at + 1).map((one) => nameKey(one, system)).join("/")
            assert.strictEqual(keys.get(key) ?? prefix, prefix)
            keys.set(key, prefix)
          })
        }
      }),
      { numRuns: 500 }
    )
  })
})
