import { assert, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import * as fs from "node:fs"
import type { ExportPayload } from "../../../../../src/contract/rows/workspace-export.ts"
import { describeBothWays, exportPath } from "./export-ways.ts"
import { type Claimed, guestWith, payload, resultOf, scratch } from "./fake-guest.ts"

const exported = (claims: Iterable<Claimed>, fields: Partial<ExportPayload>) =>
  resultOf(payload(fields), exportPath(guestWith(claims), payload(fields)))
const refused = (claims: Iterable<Claimed>, fields: Partial<ExportPayload>) => Effect.flip(exported(claims, fields))

describeBothWays("an export of files without a size", () => {
  it.live("a file with content that the guest lists as empty is exported whole, or refused", () =>
    Effect.gen(function*() {
      const folder = yield* scratch
      const version = "Linux version 6\n".repeat(20_000)
      const claims: ReadonlyArray<Claimed> = [
        { path: "d", type: "directory" },
        { path: "d/empty", content: "" },
        { path: "d/link", type: "symlink", target: "version" },
        { path: "d/small", size: 0, content: "42\n" },
        { path: "d/version", size: 0, content: version },
        { path: "endless", size: 0, content: Stream.forever(Stream.make(new Uint8Array(65_536))) }
      ]
      const { result } = yield* exported(claims, { path: "d", output: `${folder}/out` })
      const read = (name: string) => fs.readFileSync(`${folder}/out/${name}`, "latin1")
      assert.deepStrictEqual(["empty", "link", "small", "version"].map(read), ["", version, "42\n", version])
      assert.deepInclude(result, { bytes: version.length + 3, warnings: [], skippedCount: 0 })
      const alone = yield* exported(claims, { path: "d/version", output: "-" })
      assert.strictEqual(alone.stdout.toString("latin1"), version)
      const empty = yield* exported(claims, { path: "d/empty", output: `${folder}/empty` })
      assert.deepInclude(empty.result, { bytes: 0, files: 1, warnings: [] })
      const endless = yield* refused(claims, { path: "endless", output: `${folder}/endless` })
      assert.include(endless.message, "endless: it is listed as empty, and the guest has more than 16 MiB")
      assert.include(endless.message, "Read its content with a command, such as cat")
      const above = yield* refused(
        [{ path: "large", size: 0, content: "x".repeat(1024 * 1024 + 1) }],
        { path: "large", output: `${folder}/large`, maxMib: 1 }
      )
      assert.include(above.message, "more than 1 MiB")
      assert.deepStrictEqual(fs.readdirSync(folder).sort(), ["empty", "out"])
    }))
})
