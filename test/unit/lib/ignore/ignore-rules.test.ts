import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "fast-check"
import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll } from "vitest"
import { IgnoreRules, TooManyRules } from "../../../../src/lib/ignore/ignore-rules.ts"

const home = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-ignore-"))
afterAll(() => fs.rmSync(home, { recursive: true, force: true }))
const env = { PATH: process.env["PATH"], HOME: home, GIT_CONFIG_NOSYSTEM: "1" }
const bytes = (text: string) => Buffer.from(text, "latin1")

/** Directories end with a slash. */
const entries = ["a", "b.o", "#x", "!y", "\\z", "d/", "d/a", "d/b.o", "d/ab", "d/e/", "d/e/a", "d/e/f/", "d/e/f/b.o"]
  .concat(["d e/", "d e/a ", "\xff\xe9", "[x]", "ab", "abc", "e/", "e/a", "e/e/", "e/e/e", "f", "d/e/*", "a-b", "d/]"])
fs.mkdirSync(path.join(home, "tree"))
const tree = path.join(home, "tree")
execFileSync("git", ["init", "-q", tree], { env })
for (const entry of entries) {
  const at = Buffer.concat([bytes(`${tree}/`), bytes(entry)])
  if (entry.endsWith("/")) fs.mkdirSync(at)
  else fs.writeFileSync(at, "")
}

interface Files {
  readonly [directory: string]: string
}

/** What git ignores; `exclude` is the key "exclude". */
const byGit = (files: Files, entries: ReadonlyArray<string>) => {
  const at = (directory: string) =>
    directory === "exclude" ? `${tree}/.git/info/exclude` : path.join(tree, directory, ".gitignore")
  for (const [directory, text] of Object.entries(files)) fs.writeFileSync(at(directory), bytes(text))
  const { error, status, stdout } = spawnSync("git", ["-C", tree, "check-ignore", "-z", "--stdin", "--no-index"], {
    env,
    // With its slash a directory would have no name.
    input: bytes(entries.map((entry) => `${entry.replace(/\/$/, "")}\0`).join(""))
  })
  for (const directory of Object.keys(files)) fs.rmSync(at(directory))
  if (error !== undefined || (status !== 0 && status !== 1)) throw new Error(`git check-ignore: ${status}`)
  return stdout.toString("latin1").split("\0").filter((entry) => entry !== "")
}

const byUs = (files: Files, entries: ReadonlyArray<string>) => {
  const rules = new IgnoreRules()
  for (const [directory, text] of Object.entries(files)) {
    if (directory === "exclude") rules.exclude(text)
    else rules.add(directory, text)
  }
  return entries.filter((entry) => rules.ignores(entry.replace(/\/$/, ""), entry.endsWith("/")))
    .map((entry) => entry.replace(/\/$/, ""))
}

const check = (files: Files, asked: ReadonlyArray<string> = entries) =>
  assert.deepStrictEqual(byUs(files, asked), byGit(files, asked), JSON.stringify([files, asked]))

const piece = FastCheck.constantFrom(
  ..."abcdef.o/!#\\[]-^ ".split(""),
  "*",
  "*",
  "**",
  "**/",
  "/**",
  "?",
  "/",
  "\n",
  "\n",
  "\r\n",
  "\n!",
  "[a-c]",
  "[!a]",
  "[[:alpha:]]",
  "[]-]",
  "[\\]]",
  "\xff",
  "\\ ",
  "d/",
  "e/",
  "*.o",
  "\0"
)
const anyFile = FastCheck.array(piece, { minLength: 1, maxLength: 12 }).map((pieces) => pieces.join(""))
const anyFiles = FastCheck.record(
  { "": anyFile, d: anyFile, "d/e": anyFile, exclude: anyFile },
  { requiredKeys: [""] }
)

/** Paths of files that the tree does not have: git takes what is absent for a file. */
const anyPath = FastCheck.array(
  FastCheck.array(FastCheck.constantFrom(..."aab.o*[]!#\\ -\xff".split("")), { minLength: 1, maxLength: 6 })
    .map((letters) => letters.join(""))
    .filter((name) => !/^\.\.?$/.test(name)),
  { minLength: 1, maxLength: 5 }
).map((names) => ["absent", ...names].join("/"))
const anyPaths = FastCheck.uniqueArray(anyPath, { minLength: 1, maxLength: 20 })

/** What templates of well-known languages and editors hold. */
const TEMPLATE = `
# comment
node_modules/
*.log
npm-debug.log*
report.[0-9]*.[0-9]*.[0-9]*.[0-9]*.json
build/Release
*.py[cod]
*$py.class
__pycache__/
/docs/_build/
**/tmp/*.js
!important.log
.vscode/*
!.vscode/settings.json
[._]*.s[a-v][a-z]
*~
\\#*\\#
Thumbs.db:encryptable
[Bb]in/
[Ll]og[s]/
.idea/**/workspace.xml
a/**/b/**/c
`
const TEMPLATE_PATHS = [
  ...["node_modules/x/index.js", "src/node_modules/y", "a.log", "important.log", "x/important.log", "npm-debug.log.1"],
  ...["report.1.2.3.4.json", "report.a.json", "build/Release/x.o", "x/build/Release/x", "m.pyc", "m.pyx", "M$py.class"],
  ...["pkg/__pycache__/m.pyc", "docs/_build/x", "x/docs/_build/y", "tmp/a.js", "x/tmp/a.js", "x/tmp/y/a.js"],
  ...[".vscode/launch.json", ".vscode/settings.json", ".x.swp", "_x.svz", "x.swp", "x~", "#x#", "Thumbs.db"],
  ...["Bin/x", "bin/x", "BIN/x", "Logs/x", "logs/x", "log/x", ".idea/workspace.xml", ".idea/a/b/workspace.xml"],
  ...["a/b/c", "a/x/b/y/z/c", "a/b/x", "x/a/b/c"]
]

describe("ignore rules", () => {
  it("ignore rules have the same meaning as in git", () => {
    const texts = [
      "a",
      "/a",
      "d/",
      "d",
      "*.o",
      "d/*",
      "d/**",
      "**/a",
      "d/**/a",
      "**/e/*",
      "*\n!a",
      "d/\n!d/a",
      "/*\n!/d",
      "\\#x\n\\!y\n\\\\z",
      "#x",
      "a \nabc\\ ",
      "d e/a\\ ",
      "[[]x]",
      "\\[x\\]",
      "[a-b]b",
      "[!a]",
      "a[^x]c",
      "[[:alpha:]]",
      "[[:nope:]]",
      "[[:alpha]",
      "[a",
      "a\\",
      "\xff*",
      "?\xe9",
      "\xef\xbb\xbfa",
      "a\r\nf\r",
      "e/**/e",
      "e**/e",
      "d/e/\\*",
      "***/a",
      "/",
      "//",
      "!",
      "",
      "d//a",
      "a\0b",
      "[z-a]",
      "[a-\\c]b",
      "d/[]]",
      "d/[]-a]",
      "d[/]a",
      "d?a",
      "[[:constructor:]]",
      "[[:__proto__:]]b",
      "[[:alpha:][:toString:]]"
    ]
    for (const text of texts) check({ "": text })
    check({ "": "*.o", d: "!b.o", "d/e": "*" })
    check({ "": "!a", exclude: "a\nf" })
    check({ "": "e", exclude: "!e" })
    assert.includeMembers(byUs({ "": "*.o" }, entries), ["b.o", "d/b.o", "d/e/f/b.o"])
  })

  it("random ignore rules have the same meaning as in git", () => {
    FastCheck.assert(FastCheck.property(anyFiles, (files) => check(files as Files)), { numRuns: 400 })
  })

  it("random ignore rules have the same meaning as in git for random paths", () => {
    FastCheck.assert(
      FastCheck.property(anyFile, anyFile, anyPaths, (text, exclude, paths) => check({ "": text, exclude }, paths)),
      { numRuns: 300 }
    )
  })

  it("ignore rules of well-known templates have the same meaning as in git, in any directory", () => {
    for (const directory of ["absent", "d/e/f"]) {
      const paths = TEMPLATE_PATHS.map((path) => `${directory}/${path}`)
      for (const files of [{ "": TEMPLATE }, { exclude: TEMPLATE }, { "d/e/f": TEMPLATE }]) check(files, paths)
    }
    const inside = byUs({ "d/e/f": TEMPLATE }, TEMPLATE_PATHS.map((path) => `d/e/f/${path}`))
    assert.includeMembers(inside, ["d/e/f/docs/_build/x", "d/e/f/a/x/b/y/z/c", "d/e/f/_x.svz"])
  })

  it("pathological ignore rules end in bounded work", () => {
    const rules = new IgnoreRules()
    rules.add("", `${"*a".repeat(500)}b\n${"**/".repeat(300)}x`)
    assert.isFalse(rules.ignores("a".repeat(255), false))
    assert.isBelow(rules.workDone, 1_000_000)
    assert.throws(() => rules.ignores("a/".repeat(2_000) + "a", false), TooManyRules)
  })

  it("an ignore rule that is too long is refused within one comparison", () => {
    const rules = new IgnoreRules()
    const length = 4_096
    rules.add("", "**/".repeat(300_000) + "x")
    assert.throws(() => rules.ignores("/".repeat(length), false), TooManyRules)
    // The comparison ends where the bound is reached, not when it is through.
    assert.isAtMost(rules.workDone, 200_000_000 + length)
  })

  it("ignore rules that are too many for a tree are refused", () => {
    const rules = new IgnoreRules()
    rules.add("", "x\n".repeat(500_000))
    assert.throws(() => {
      for (let i = 0; i < 200; i++) rules.ignores(`f${i}`, false)
    }, TooManyRules)
  })
})
