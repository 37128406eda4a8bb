import { Effect } from "effect"
import { assert } from "vitest"
import { applyPatch } from "../../../../src/lib/patch/apply.ts"
import { parsePatch } from "../../../../src/lib/patch/parse.ts"
import { changed, described, type file, patchTree, type Tree, tree } from "./trees.ts"

export const plan = (before: Tree, patch: string | Uint8Array) =>
  Effect.runSync(
    Effect.result(Effect.suspend(() =>
      applyPatch(patchTree(before), parsePatch(typeof patch === "string" ? Buffer.from(patch) : patch))
    ))
  )

/** The tree after the patch, as text without modes of plain files. */
export const applied = (before: Record<string, string | ReturnType<typeof file>>, patch: string | Uint8Array) => {
  const from = tree(before)
  const result = plan(from, patch)
  if (result._tag === "Failure") throw result.failure
  const after = Object.entries(described(changed(from, result.success.changes)))
  return Object.fromEntries(after.map(([path, text]) => [path, text.replace(/^100644 /, "")]))
}

export const rejects = (before: Record<string, string | ReturnType<typeof file>>, patch: string) => {
  const result = plan(tree(before), patch)
  if (result._tag === "Success") return assert.fail("it fits")
  return result.failure.rejects.map(({ hunk, path, reason }) => `${path} ${hunk}: ${reason}`)
}

export const lines = (...all: ReadonlyArray<string>) => all.map((line) => `${line}\n`).join("")
