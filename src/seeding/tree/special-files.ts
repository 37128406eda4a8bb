import { Effect } from "effect"
import * as fs from "node:fs"
import { joinBytes } from "../files-beneath.ts"

/** Names that git opens wherever they are in a work tree. */
const opened = [".gitignore", ".gitattributes"].map((name) => Buffer.from(name))
const dotGit = Buffer.from(".git")

/** Directories to check between two turns of other work. */
const SLICE = 64

/**
 * The first special file beneath a folder that git would open, so that the open may never end: a FIFO, a device. `undefined`
 * without one. `everything`: files of any name, as in an object store.
 */
export const findSpecialFile = (root: string, options: { readonly everything: boolean }) =>
  Effect.gen(function*() {
    const folders: Array<Buffer> = [Buffer.from(root)]
    for (let looked = 1; folders.length > 0; looked++) {
      if (looked % SLICE === 0) yield* Effect.promise(() => new Promise((resume) => setImmediate(resume)))
      const folder = folders.pop()!
      for (const entry of entriesOf(folder)) {
        if (entry.isDirectory()) {
          if (!entry.name.equals(dotGit)) folders.push(joinBytes(folder, entry.name))
          continue
        }
        if (entry.isFile() || !(options.everything || opened.some((name) => name.equals(entry.name)))) continue
        const file = joinBytes(folder, entry.name)
        if (isSpecial(file)) return file
      }
    }
    return undefined
  })

/** A dangling link cannot be opened. */
const isSpecial = (file: Buffer) => {
  try {
    const stat = fs.statSync(file)
    return !stat.isFile() && !stat.isDirectory()
  } catch {
    return false
  }
}

const entriesOf = (folder: Buffer) => {
  try {
    return fs.readdirSync(folder, { withFileTypes: true, encoding: "buffer" })
  } catch {
    return []
  }
}
