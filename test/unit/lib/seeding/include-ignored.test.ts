import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { temporaryDirectory } from "../disk/temporary-directory.ts"
import { repository, seeded, withVariables, write } from "./support.ts"

describe("globs of ignored files", () => {
  it.live("--include-ignored names each glob that no ignored file matches, and asks git once for all globs", () =>
    Effect.gen(function*() {
      const folder = yield* temporaryDirectory
      const tree = repository(folder)
      write(tree, {
        "keep": "",
        ".gitignore": "*\n!/keep\n",
        "a.o": "",
        "#b": "",
        "!c": "",
        "dir/d": "",
        "dir/e.o": "",
        "x/dir/f": "",
        "é": ""
      })
      const counted = path.join(folder, "bin")
      write(counted, { "git": `#!/bin/sh\necho "$*" >> ${folder}/calls\nexec /usr/bin/git "$@"\n` })
      fs.chmodSync(path.join(counted, "git"), 0o755)
      const present = ["*.o", "#b", "!c", "dir", "/dir/d", "dir/*.o", "x/", "é", "[a-b].o"]
      const absent = ["b", "c", "e", "/f", "dir/a.o", "*.p", "/x/d", "É"]
      yield* withVariables({ PATH: `${counted}:${process.env["PATH"] ?? ""}` })
      const { report } = yield* seeded({ seedPath: tree, includeIgnored: [...present, ...absent] }, {
        namespaces: false
      })
      assert.deepStrictEqual(
        report.skipped.map(({ path }) => path),
        absent
      )
      const calls = fs.readFileSync(path.join(folder, "calls"), "utf8").split("\n")
      assert.strictEqual(calls.filter((line) => line.includes(":(glob)")).length, 1)
    }))
})
