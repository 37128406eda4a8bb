import * as fs from "node:fs"
import * as path from "node:path"
import { readBounded } from "../tree/host-files.ts"
import type { Repository } from "./locate.ts"

/** Content of HEAD: a commit, and its branch. */
export interface Head {
  /** Undefined on a branch without commits. */
  readonly commit: string | undefined
  /** As `refs/heads/main`; undefined when detached. */
  readonly ref: string | undefined
}

const objectId = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/

export const isObjectId = (text: string) => objectId.test(text)

/** Names that git itself allows, and that mean a file below `refs`. */
export const isRefName = (name: string) =>
  name.length < 1024 && /^refs(?:\/[^\0-\x20\x7f~^:?*[\\/\ufffd]+)+$/.test(name) &&
  !/(^|\/)\.|\.\.|@\{|\.(\/|$)|\.lock(\/|$)/.test(name)

const mostPackedRefs = 64 * 1024 * 1024

/** All refs that a repository's file of packed ones has. */
const packedRefs = (commonDir: string): Map<string, string> => {
  const text = readBounded(path.join(commonDir, "packed-refs"), mostPackedRefs)?.toString() ?? ""
  const lines = text.split("\n").map((line) => line.split(" "))
  return new Map(
    lines.flatMap(([id, name]) =>
      id !== undefined && name !== undefined && isObjectId(id) && isRefName(name) ? [[name, id] as const] : []
    )
  )
}

/** The commit of a ref. `undefined` for a missing or invalid ref. */
export const resolveRef = (commonDir: string, name: string, depth = 5): string | undefined => {
  if (!isRefName(name) || depth === 0) return undefined
  const said = readBounded(path.join(commonDir, name), 1024)?.toString().trim()
  if (said === undefined) return packedRefs(commonDir).get(name)
  return isObjectId(said)
    ? said
    : said.startsWith("ref: ")
    ? resolveRef(commonDir, said.slice(5), depth - 1)
    : undefined
}

export const readHead = ({ commonDir, gitDir }: Pick<Repository, "commonDir" | "gitDir">): Head | undefined => {
  const said = readBounded(path.join(gitDir, "HEAD"), 1024)?.toString().trim() ?? ""
  if (isObjectId(said)) return { commit: said, ref: undefined }
  const ref = said.startsWith("ref: ") ? said.slice(5).trim() : ""
  return isRefName(ref) ? { commit: resolveRef(commonDir, ref), ref } : undefined
}

/** Branches, tags and remote branches, without other refs such as stashes. */
const shared = /^refs\/(?:heads|tags|remotes)\//

const mostRefs = 1_000_000

export const sharedRefs = (commonDir: string): ReadonlyMap<string, string> => {
  const refs = new Map([...packedRefs(commonDir)].filter(([name]) => shared.test(name)))
  const visit = (folder: string) => {
    for (const entry of entriesOf(path.join(commonDir, folder))) {
      const name = `${folder}/${entry.name}`
      if (entry.isDirectory()) visit(name)
      const commit = entry.isFile() && refs.size < mostRefs ? resolveRef(commonDir, name) : undefined
      if (commit !== undefined) refs.set(name, commit)
    }
  }
  for (const folder of ["refs/heads", "refs/tags", "refs/remotes"]) visit(folder)
  return new Map([...refs].sort(([one], [other]) => one < other ? -1 : 1))
}

const entriesOf = (folder: string) => {
  try {
    return fs.readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}
