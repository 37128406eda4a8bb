import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { makePrivate } from "../../../../src/system/files/entries.ts"
import { temporaryFolder } from "../../../support/pyro-cli.ts"

describe("a private folder", () => {
  it.effect("takes the rights of others from a folder, and is no link", () =>
    Effect.gen(function*() {
      const { folder, remove } = temporaryFolder("pyro-private-")
      yield* Effect.addFinalizer(() => Effect.sync(remove))
      const [open, link] = [path.join(folder, "open"), path.join(folder, "link")]
      fs.mkdirSync(open)
      fs.chmodSync(open, 0o777)
      fs.symlinkSync(open, link)
      assert.isFalse(yield* makePrivate(link))
      assert.strictEqual(fs.statSync(open).mode & 0o777, 0o777)
      assert.isTrue(yield* makePrivate(open))
      assert.strictEqual(fs.statSync(open).mode & 0o777, 0o700)
    }))
})
