import { Effect } from "effect"
import { createHmac, randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { StateDirectoryUnusable } from "../../contract/errors/errors.ts"
import { contentIfPresent } from "../../system/files/content.ts"
import { attempt, toHostErrorOf } from "../../system/files/failure.ts"
import { Paths } from "../../system/files/Paths.ts"

const KEY_BYTES = 32
/** Hexadecimal digits of a component: two of one client are never the same by chance. */
const DIGITS = 24

/** The key that hides this client's paths from other machines. It has no ending, so no context is called like it. */
const clientKey = Effect.gen(function*() {
  const { stateDir } = yield* Paths
  const folder = path.join(stateDir, "contexts")
  const file = path.join(folder, "key")
  return yield* attempt("write", file, () => {
    const known = contentIfPresent(file)
    if (known !== undefined) return known
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    const made = `${file}-${randomBytes(8).toString("hex")}`
    fs.writeFileSync(made, randomBytes(KEY_BYTES), { mode: 0o600, flag: "wx" })
    try {
      // Another command may be faster: its key stays.
      fs.linkSync(made, file)
    } catch (cause) {
      if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
    } finally {
      fs.unlinkSync(made)
    }
    return fs.readFileSync(file)
  }).pipe(
    Effect.mapError(toHostErrorOf(folder)),
    Effect.filterOrFail(
      (key) => key.length === KEY_BYTES,
      () => new StateDirectoryUnusable({ path: file, detail: `it is no key of ${KEY_BYTES} bytes` })
    )
  )
})

const component = (key: Uint8Array, text: string) =>
  createHmac("sha256", key).update(text).digest("hex").slice(0, DIGITS)

/**
 * Names a directory of this machine for others, which learn nothing of its path: a component of the client, and one for each component of the path.
 * A directory beneath another one has a name beneath that one's.
 */
const projectName = (key: Uint8Array, directory: string): string => {
  const parts = directory.split(path.sep).filter((part) => part !== "")
  const names = parts.map((_, at) => component(key, parts.slice(0, at + 1).join("/")))
  return ["", component(key, ""), ...names].join("/")
}

/** The name of a directory of this machine for others. */
export const nameOfProject = (directory: string) => Effect.map(clientKey, (key) => projectName(key, directory))
