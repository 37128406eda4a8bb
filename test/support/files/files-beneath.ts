import * as fs from "node:fs"
import * as path from "node:path"

/** Paths of all entries beneath a folder that are no directories. Follows no link; Node's own recursive listing does so since Node 22. */
export const filesBeneath = (folder: string): ReadonlyArray<string> =>
  fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name)
    return entry.isDirectory() ? filesBeneath(file) : [file]
  }).sort()

/** The regular files among them. */
export const regularFilesBeneath = (folder: string): ReadonlyArray<string> =>
  filesBeneath(folder).filter((file) => fs.lstatSync(file).isFile())
