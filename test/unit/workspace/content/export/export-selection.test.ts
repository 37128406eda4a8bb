import { assert, it } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { afterAll, beforeAll } from "vitest"
import { typedMessage } from "../../../../../src/contract/rows/next-steps.ts"
import type { ExportPayload } from "../../../../../src/contract/rows/workspace-export.ts"
import { describeBothWays, exportPath } from "./export-ways.ts"
import { type Claimed, guestWith, payload, resultOf, scratch, useSanitizedPut } from "./fake-guest.ts"

const exported = (claims: Iterable<Claimed>, fields: Partial<ExportPayload>) =>
  resultOf(payload(fields), exportPath(guestWith(claims), payload(fields)))

const refused = (claims: Iterable<Claimed>, fields: Partial<ExportPayload>) => Effect.flip(exported(claims, fields))

const long = `${"n".repeat(120)}/${"m".repeat(120)}`
const tree: ReadonlyArray<Claimed> = [
  { path: "dist", type: "directory" },
  { path: "dist/a.js", content: "a\n" },
  { path: "dist/a.js.map", content: "map\n" },
  { path: "dist/deep", type: "directory", mode: 0o700 },
  { path: "dist/deep/run", mode: 0o4755, content: "#!/bin/sh\n" },
  { path: "dist/link", type: "symlink", target: "deep/run" },
  { path: "dist/out", type: "symlink", target: "../src" },
  { path: "dist/.git", type: "directory" },
  { path: "dist/.git/config", content: "evil" },
  { path: "node_modules", type: "directory" },
  { path: "node_modules/x", type: "directory" },
  { path: "node_modules/x/index.js", content: "x" },
  { path: "src", type: "directory" },
  { path: "src/one", content: "1" },
  { path: `src/${long.split("/")[0]}`, type: "directory" },
  { path: `src/${long}`, content: "long" },
  { path: "src/caf\xe9", content: "bytes" },
  { path: "src/empty", content: "" },
  { path: "top", content: "t".repeat(1_000) }
]

/** Names and contents of an archive as GNU tar unpacks it. */
const unpacked = (folder: string, archive: string) => {
  fs.mkdirSync(folder)
  execFileSync("tar", ["-xf", archive, "-C", folder])
  return listed(folder)
}

const listed = (folder: string) => {
  const found: Record<string, string> = {}
  const visit = (prefix: string) => {
    const at = (name: string) => Buffer.from(`${folder}/${prefix}${name}`, "latin1")
    for (const entry of fs.readdirSync(at(""), { withFileTypes: true, encoding: "buffer" })) {
      const name = entry.name.toString("latin1")
      if (entry.isDirectory()) visit(`${prefix}${name}/`)
      else if (entry.isSymbolicLink()) found[prefix + name] = `-> ${fs.readlinkSync(at(name))}`
      else {found[prefix + name] = `${(fs.statSync(at(name)).mode & 0o7777).toString(8)} ${
          fs.readFileSync(at(name), "latin1")
        }`}
    }
  }
  visit("")
  return found
}

let restore = () => {}
beforeAll(() => void (restore = useSanitizedPut()))
afterAll(() => restore())

describeBothWays("an export to an archive", () => {
  it.live("an archive has the same content as a directory, in every format", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const { result: plain } = yield* exported(tree, { path: ".", output: `${folder}/plain` })
      const expected = listed(`${folder}/plain`)
      assert.strictEqual(expected[`src/${long}`], "644 long")
      assert.strictEqual(expected["dist/deep/run"], "755 #!/bin/sh\n")
      for (const name of ["x.tar", "x.tar.gz", "x.tgz", "X.TAR"]) {
        const { result } = yield* exported(tree, { path: ".", output: `${folder}/${name}` })
        assert.deepInclude(result, { kind: "archive", files: plain.files, symlinks: 2, bytes: plain.bytes })
        assert.deepStrictEqual(result.skipped, plain.skipped)
        assert.deepStrictEqual(result.entries.map(({ path }) => path), plain.entries.map(({ path }) => path))
        assert.deepStrictEqual(unpacked(`${folder}/of-${name}`, `${folder}/${name}`), expected, name)
      }
      const gzip = fs.readFileSync(`${folder}/x.tgz`)
      assert.deepStrictEqual([gzip[0], gzip[1]], [0x1f, 0x8b])
      const { stdout } = yield* exported(tree, { path: ".", output: "-" })
      assert.isTrue(stdout.equals(fs.readFileSync(`${folder}/x.tar`)))
      assert.isTrue(gzip.equals(fs.readFileSync(`${folder}/x.tar.gz`)))
      // A name that ends with a slash, and a file of the guest, are what they were.
      yield* exported(tree, { path: "src", output: `${folder}/y.tar/` })
      assert.isTrue(fs.statSync(`${folder}/y.tar`).isDirectory())
      yield* exported(tree, { path: "top", output: `${folder}/top.tar` })
      assert.strictEqual(fs.readFileSync(`${folder}/top.tar`, "latin1"), "t".repeat(1_000))
      const again = yield* refused(tree, { path: ".", output: `${folder}/x.tar` })
      assert.include(typedMessage(again), "--overwrite")
    }))

  it.live("an archive follows the same rules, and pads a file that became shorter", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      for (const output of [`${folder}/x.tar`, "-"]) {
        for (const [claims, path] of [[".vscode", "."], ["app/.vscode", "app"]] as const) {
          const error = yield* refused([
            { path: "app", type: "directory" },
            { path: claims, type: "directory" },
            { path: `${claims}/tasks.json`, content: "{}" }
          ], { path, output })
          assert.include(error.message, "tools of the host would execute", output)
        }
        const large = yield* refused([{ path: "x", size: 2 ** 33 }], { output })
        assert.include(large.message, "8192 MiB, more than 2048 MiB")
      }
      assert.deepStrictEqual(fs.readdirSync(folder), [])
      const { result } = yield* exported([
        { path: "gone", size: 10, content: { errno: "ENOENT" } },
        { path: "short", size: 600, content: "abc" },
        { path: "whole", content: "whole" }
      ], { output: `${folder}/x.tar` })
      assert.deepStrictEqual(result.skipped.map(({ path }) => path), ["gone"])
      assert.deepStrictEqual(result.warnings, [{ message: "a file changed while being exported: short" }])
      assert.deepStrictEqual(unpacked(`${folder}/of-x`, `${folder}/x.tar`), {
        short: `644 abc${"\0".repeat(597)}`,
        whole: "644 whole"
      })
      const failed = yield* refused([{ path: "x", size: 10, content: { errno: "EIO" } }], { output: `${folder}/y.tgz` })
      assert.strictEqual(failed._tag, "FileRefused")
      assert.deepStrictEqual(fs.readdirSync(folder).sort(), ["of-x", "x.tar"])
    }))
})

describeBothWays("an export of several paths", () => {
  it.live("an export of several paths keeps their places in /workspace", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const paths = ["/workspace/dist/deep", "./src/one", "src/one"]
      const { result } = yield* exported(tree, { path: "top", paths, output: `${folder}/out` })
      assert.deepStrictEqual(Object.keys(listed(`${folder}/out`)).sort(), ["dist/deep/run", "src/one", "top"])
      assert.deepInclude(result, { kind: "directory", files: 3 })
      yield* exported(tree, { path: "", paths: ["top", "src/one"], output: `${folder}/x.tar` })
      assert.deepStrictEqual(Object.keys(unpacked(`${folder}/of-x`, `${folder}/x.tar`)).sort(), ["src/one", "top"])
      for (
        const [path, detail] of [
          ["absent", "it is not in /workspace"],
          ["../x", "a path with .. in it"],
          ["dist/.git", "nothing in a git directory"],
          [".", "name it alone"],
          ["dist/link", "symbolic link"]
        ] as const
      ) {
        const error = yield* refused(tree, { path: "top", paths: [path], output: `${folder}/no` })
        assert.include(error.message, detail, path)
      }
      const hidden = [{ path: ".vscode", type: "directory" }, { path: ".vscode/tasks.json", content: "{}" }] as const
      const error = yield* refused([...tree, ...hidden], { path: "top", paths: [".vscode"], output: `${folder}/no` })
      assert.include(error.message, "tools of the host would execute")
      assert.isFalse(fs.existsSync(`${folder}/no`))
    }))

  it.live("export --exclude leaves out and counts matching paths", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const exclude = ["node_modules", "*.map", "/src/one", "dist/deep/"]
      const { result } = yield* exported(tree, { path: ".", exclude, output: `${folder}/out` })
      const names = Object.keys(listed(`${folder}/out`)).sort()
      assert.deepStrictEqual(names, ["dist/a.js", "dist/out", "src/caf\xe9", "src/empty", `src/${long}`, "top"])
      // What is beneath an excluded directory counts, too; a link to it has no target.
      assert.strictEqual(result.excludedCount, 7)
      assert.deepStrictEqual(result.skipped.map(({ path }) => path), ["dist/.git", "dist/link"])
      const { result: one } = yield* exported(tree, { path: "dist", exclude: ["dist/*.map"], output: `${folder}/one` })
      assert.strictEqual(one.excludedCount, 1)
      assert.isFalse(fs.existsSync(`${folder}/one/a.js.map`))
      assert.isUndefined((yield* exported(tree, { path: "dist", output: `${folder}/two` })).result.excludedCount)
    }))
})
