import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import type { ExportPayload } from "../../src/contract/rows/workspace-export.ts"
import { exportPath } from "../../src/workspace/content/export/path.ts"
import { acquireTestWorkspace, finish, guestServices, script } from "../support/guest.ts"
import { payload, resultOf } from "../unit/workspace/content/export/fake-guest.ts"

/** The workspace of a real guest, made by its own tools. */
const prepare = String.raw`
set -eu
mkdir -p tree/sub/deep .git/hooks && cd tree
printf 'plain\n' > file; printf '#!/bin/sh\n' > tool; chmod 4755 tool; chmod 2775 sub
ln -s ../file sub/inside; ln -s /etc/passwd outside; ln -s ../../etc up; ln -s missing dangling
mkfifo fifo; mknod device c 1 3; printf 'odd' > "$(printf 'odd \n\377')"
printf 'a' > same; printf 'b' > SAME
i=0; while [ $i -lt 2000 ]; do echo "content $i" > sub/deep/file-$i; i=$((i+1)); done
head -c 3000000 /dev/urandom > sub/large; cd ..
mkdir huge growing; truncate -s 4G huge/sparse; truncate -s 6M sparse
(while :; do head -c 100000 /dev/zero; sleep 0.01; done > growing/log) >/dev/null 2>&1 &
sha256sum tree/sub/large | cut -d' ' -f1`

layer(guestServices, { excludeTestServices: true, timeout: "10 minutes" })("an export from a real workspace", (it) => {
  it.effect("an export equals the guest's files, within the rules", () =>
    Effect.gen(function*() {
      const folder = yield* Effect.acquireRelease(
        Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-export-"))),
        (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
      )
      const workspace = yield* acquireTestWorkspace()
      const { stdout } = yield* finish(yield* workspace.claim(script(prepare)))
      const { channel } = workspace.guest
      const run = (fields: Partial<ExportPayload>) => resultOf(payload(fields), exportPath(channel, payload(fields)))

      const output = `${folder}/tree`
      const { result } = yield* run({ path: "tree", output })
      assert.deepInclude(result, { files: 2006, directories: 3, symlinks: 1, skippedCount: 5 })
      assert.sameMembers(result.skipped.map((one) => one.path), ["outside", "up", "dangling", "fifo", "device"])
      const large = execFileSync("sha256sum", [`${output}/sub/large`], { encoding: "utf8" }).slice(0, 64)
      assert.strictEqual(large, stdout.trim())
      assert.strictEqual(result.entries.find((one) => one.path === "sub/large")?.sha256, large)
      assert.strictEqual(fs.statSync(`${output}/tool`).mode & 0o7777, 0o755)
      assert.strictEqual(fs.statSync(`${output}/sub`).mode & 0o7777, 0o755)
      assert.strictEqual(fs.readFileSync(`${output}/sub/inside`, "utf8"), "plain\n")
      assert.strictEqual(fs.readFileSync(`${output}/sub/deep/file-1999`, "utf8"), "content 1999\n")
      assert.strictEqual(fs.readFileSync(Buffer.from(`${output}/odd \n\xff`, "latin1"), "utf8"), "odd")
      assert.deepStrictEqual(["same", "SAME"].map((name) => fs.readFileSync(`${output}/${name}`, "utf8")), ["a", "b"])

      const again = yield* Effect.flip(run({ path: "tree", output }))
      assert.strictEqual(again._tag, "ExportRefused")
      const over = yield* run({ path: "tree", output, overwrite: true })
      assert.strictEqual(over.result.entries.filter((one) => one.replaced).length, 2007)

      const huge = yield* Effect.flip(run({ path: "huge", output: `${folder}/huge` }))
      assert.strictEqual(huge._tag, "ExportRefused")
      assert.match(huge.message, /4096 MiB/)
      assert.strictEqual((yield* run({ path: "sparse", output: `${folder}/sparse` })).result.bytes, 6 * 2 ** 20)
      const growing = yield* run({ path: "growing", output: `${folder}/growing` })
      assert.strictEqual(growing.result.warnings.length, 1)
      const few = yield* Effect.flip(run({ path: "tree", output: `${folder}/few`, maxEntries: 100 }))
      assert.strictEqual(few._tag, "ExportRefused")
      assert.match(few.message, /100 entries/)
      const git = yield* Effect.flip(run({ path: ".git", output: `${folder}/git` }))
      assert.strictEqual(git._tag, "ExportRefused")
      const passed = yield* run({ path: "/workspace/tree/file", output: "-" })
      assert.strictEqual(passed.stdout.toString(), "plain\n")
      assert.sameMembers(fs.readdirSync(folder), ["tree", "sparse", "growing"])
    }))
})
