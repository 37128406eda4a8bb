import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { regularFilesBeneath } from "../files/files-beneath.ts"

/** Every entry beneath a folder with its type, mode, size, time of change and, of small files, content. */
export const traceOf = (folder: string): ReadonlyMap<string, string> => {
  const found = new Map<string, string>()
  const visit = (directory: string) => {
    for (const name of fs.readdirSync(directory)) {
      const file = path.join(directory, name)
      const stat = fs.lstatSync(file, { throwIfNoEntry: false })
      if (stat === undefined) continue
      const digest = stat.isFile() && stat.size < 1_048_576
        ? createHash("sha256").update(fs.readFileSync(file)).digest("hex").slice(0, 16)
        : stat.isSymbolicLink()
        ? fs.readlinkSync(file)
        : ""
      found.set(file, `${stat.mode.toString(8)} ${stat.size} ${stat.isDirectory() ? "" : stat.mtimeMs} ${digest}`)
      if (stat.isDirectory()) visit(file)
    }
  }
  visit(folder)
  return found
}

/** Paths that are new, gone or others than before. */
export const changedBetween = (before: ReadonlyMap<string, string>, after: ReadonlyMap<string, string>) =>
  [...new Set([...before.keys(), ...after.keys()])].filter((file) => before.get(file) !== after.get(file)).sort()

/** Bytes of the regular files beneath a folder. */
export const bytesBeneath = (folder: string): number =>
  regularFilesBeneath(folder).reduce((sum, file) => sum + fs.lstatSync(file).size, 0)
