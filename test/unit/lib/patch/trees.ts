import { Effect } from "effect"
import * as fs from "node:fs"
import { diffBudget, type TextDiff, textDiff } from "../../../../src/lib/patch/format/text-diff.ts"
import type { Change, PatchTree, Side } from "../../../../src/lib/patch/model/patch.ts"

/** A tree of files and links in memory: byte-string path -> what is there. Directories are where files are. */
export type Tree = Map<string, Side>

export const file = (content: string | Uint8Array, mode: Side["mode"] = 0o100644): Side => ({
  mode,
  content: typeof content === "string" ? Buffer.from(content) : content
})
export const link = (target: string): Side => ({ mode: 0o120000, content: Buffer.from(target, "latin1") })
export const tree = (entries: Record<string, string | Side>): Tree =>
  new Map(Object.entries(entries).map(([path, side]) => [path, typeof side === "string" ? file(side) : side]))

export const patchTree = (of: Tree): PatchTree<never> => ({
  at: (path) =>
    Effect.sync(() => {
      const side = of.get(path)
      if (side !== undefined) return { _tag: "file", mode: side.mode, size: side.content.length }
      const names = new Set<string>()
      for (const known of of.keys()) {
        if (known.startsWith(`${path}/`)) names.add(known.slice(path.length + 1).split("/")[0]!)
      }
      return names.size === 0 ? { _tag: "absent" } : { _tag: "directory", names: Array.from(names) }
    }),
  content: (path) => Effect.sync(() => of.get(path)!.content)
})

const key = (path: Uint8Array) => Buffer.from(path).toString("latin1")

/** The tree after the changes. */
export const changed = (before: Tree, changes: Iterable<Change>): Tree => {
  const after = new Map(before)
  const all = Array.from(changes)
  for (const { from, path } of all) {
    after.delete(key(from ?? path))
  }
  for (const { after: side, path } of all) if (side !== undefined) after.set(key(path), side)
  return after
}

/** A tree as text that two equal trees share; short, for messages. */
export const described = (of: Tree): Record<string, string> =>
  Object.fromEntries(
    Array.from(of, ([path, { content, mode }]) =>
      [path, `${mode.toString(8)} ${Buffer.from(content).toString("latin1")}`] as const).sort(([one], [other]) =>
        one < other ? -1 : 1
      )
  )

const below = (folder: string, path: string) => Buffer.concat([Buffer.from(`${folder}/`), Buffer.from(path, "latin1")])

/** Writes the tree into an existing folder. */
export const writeTree = (folder: string, of: Tree) => {
  for (const [path, { content, mode }] of of) {
    const slash = path.lastIndexOf("/")
    if (slash > 0) fs.mkdirSync(below(folder, path.slice(0, slash)), { recursive: true })
    if (mode === 0o120000) fs.symlinkSync(Buffer.from(content), below(folder, path))
    else fs.writeFileSync(below(folder, path), content, { mode: mode & 0o777 })
  }
}

export const readTree = (folder: string): Tree => {
  const found: Tree = new Map()
  const visit = (prefix: string) => {
    for (const entry of fs.readdirSync(below(folder, prefix), { withFileTypes: true, encoding: "buffer" })) {
      const path = prefix + entry.name.toString("latin1")
      const at = below(folder, path)
      if (entry.isDirectory()) visit(`${path}/`)
      else if (entry.isSymbolicLink()) {
        found.set(path, { mode: 0o120000, content: fs.readlinkSync(at, { encoding: "buffer" }) })
      } else {
        const mode = fs.statSync(at).mode & 0o100 ? 0o100755 : 0o100644
        found.set(path, { mode, content: fs.readFileSync(at) })
      }
    }
  }
  visit("")
  return found
}

/** A text diff of whole files, without its pauses. */
export const diffOf = (before: string, after: string): TextDiff => {
  const steps = textDiff(before, after, diffBudget())
  for (let step = steps.next();; step = steps.next()) if (step.done === true) return step.value
}
