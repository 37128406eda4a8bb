import { assert, it } from "vitest"
import { views } from "../../../src/cli/views/views.ts"
import { shown } from "./shown.ts"

const unchanged = {
  summary: { files: 0, added: 0, modified: 0, deleted: 0, renamed: 0, typeChanged: 0, additions: 0, deletions: 0 },
  files: [],
  unlisted: 0,
  ignoredCount: 0,
  specialCount: 0,
  verified: false,
  patch: ""
}

it("diff and compare name paths that do not exist, make no claim about them, and exit with 1", async () => {
  const none = (missingPaths: ReadonlyArray<string>, paths: ReadonlyArray<string> = missingPaths) =>
    shown("workspace.diff", { ...unchanged, missingPaths }, { workspace: "fix", paths })
  assert.deepStrictEqual(await none(["src/typo"]), {
    out: "",
    err: "pyro: no such path in the workspace or its seed: src/typo\n"
  })
  assert.deepStrictEqual(await none(["other"]), {
    out: "",
    err: "pyro: no such path in the workspace or its seed: other. If other is a workspace: pyro compare fix other\n"
  })
  assert.deepStrictEqual(await none(["src/typo"], ["src", "src/typo"]), {
    out: "",
    err: "nothing changed in the other paths\npyro: no such path in the workspace or its seed: src/typo\n"
  })
  const many = (await none(Array.from({ length: 22 }, (_, index) => `d/${index}`))).err.split("\n")
  assert.deepStrictEqual([many.length, many.at(-2)], [22, "pyro: no such path in the workspace or its seed: 2 more"])
  assert.strictEqual(
    (await shown("workspace.compare", { ...unchanged, missingPaths: ["x"] }, { from: "a", to: "b", paths: ["x"] })).err
      .split("\n").at(-2),
    "pyro: no such path in either side: x"
  )
  assert.strictEqual(views["workspace.diff"].exitStatus?.({ ...unchanged, missingPaths: ["x"] }), 1)
  assert.strictEqual(views["workspace.diff"].exitStatus?.(unchanged), 0)
})
