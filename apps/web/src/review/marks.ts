import type { DiffFile } from "../../../../src/contract/rows/workspace-diff.ts"
import { executablePaths } from "../../../../src/contract/text/executable-config.ts"
import { pathBytes } from "../../../../src/contract/text/path-text.ts"

const rawOf = (path: string) => {
  let raw = ""
  for (const byte of pathBytes(path) ?? new Uint8Array(0)) raw += String.fromCharCode(byte)
  return raw
}

/**
 * Reasons by shown path, for the changed files that tools of the host execute by themselves: the rules of the export itself, which refuses them
 * unless they are allowed. A reason of a directory counts for the files beneath.
 */
export const executableMarks = (files: ReadonlyArray<DiffFile>): ReadonlyMap<string, string> => {
  const raws = files.map(({ from, path }) => ({ path, raws: [path, ...(from === undefined ? [] : [from])].map(rawOf) }))
  const found = executablePaths(raws.flatMap(({ raws }) => raws))
  const reasonOf = (raw: string) => found.get(raw) ?? [...found].find(([place]) => raw.startsWith(`${place}/`))?.[1]
  return new Map(raws.flatMap(({ path, raws }) => {
    const reason = raws.map(reasonOf).find((reason) => reason !== undefined)
    return reason === undefined ? [] : [[path, reason] as const]
  }))
}
