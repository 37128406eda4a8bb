import { Effect } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { attempt } from "./failure.ts"

/** A text that pyro keeps in its state directory; undefined if there is none. */
export const readKept = (file: string): Effect.Effect<string | undefined> =>
  Effect.orElseSucceed(attempt("read", file, () => fs.readFileSync(file, "utf8")), () => undefined)

/** Keeps a text for this user alone. A reader sees the old text or the new. */
export const writeKept = (file: string, text: string) =>
  attempt("write", file, () => {
    fs.mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 })
    fs.writeFileSync(`${file}.tmp`, text, { mode: 0o600 })
    fs.renameSync(`${file}.tmp`, file)
  })

export const removeKept = (file: string) => attempt("unlink", file, () => fs.rmSync(file, { force: true }))

/** The topmost directory that does not exist yet on the way to a file. */
export const missingFolder = (file: string) =>
  attempt("stat", file, () => {
    let missing: string | undefined
    for (let folder = path.dirname(file); !fs.existsSync(folder); folder = path.dirname(folder)) missing = folder
    return missing
  })

/** Removes the directories from a file's own up to `made`, as far as they are empty. */
export const removeEmptyFolders = (file: string, made: string) =>
  attempt("rmdir", file, () => {
    for (let folder = path.dirname(file); `${folder}/`.startsWith(`${made}/`); folder = path.dirname(folder)) {
      if (!fs.existsSync(folder)) continue
      if (fs.readdirSync(folder).length > 0) return
      fs.rmdirSync(folder)
    }
  })
