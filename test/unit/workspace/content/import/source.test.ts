import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fs from "node:fs"
import { afterEach, vi } from "vitest"
import { listSource } from "../../../../../src/workspace/content/import/source.ts"
import { temporaryDirectory } from "../../../lib/disk/temporary-directory.ts"

/** More than the arguments of one call: Node's stack has room for some 125,000. */
const FOLDERS = 130_000

describe("the source of an import", () => {
  afterEach(() => vi.restoreAllMocks())

  it.live(`an import reports ${FOLDERS} git directories that it leaves out`, () =>
    Effect.gen(function*() {
      const source = yield* temporaryDirectory
      const entry = (name: string) => ({ name: Buffer.from(name), isDirectory: () => true })
      const folders = Array.from({ length: FOLDERS }, (_, at) => entry(`${at}`))
      const git = [entry(".git")]
      // Files of this number take minutes to make, so the source has its folders by name only.
      vi.spyOn(fs.promises, "opendir").mockImplementation((folder) =>
        Promise.resolve((folder.toString() === `${source}/` ? folders : git).values() as unknown as fs.Dir)
      )
      const { skipped } = yield* listSource(source)
      const reasons = skipped.filter(({ reason }) => reason === "pyro copies no entry named .git")
      assert.lengthOf(reasons, FOLDERS)
      assert.strictEqual(reasons[0]?.path, "99999/.git")
    }), 180_000)
})
