import { readFileSync } from "node:fs"
import { named } from "../../contract/text/names.ts"
import { isAlive, type ProcessIdentity } from "./identity.ts"

/** Environment variables. */
export type Variables = Readonly<Record<string, string>>

/** The environment variables that a process of this user was started with (proc(5)). Undefined if it has ended, or cannot be read. */
export const startVariables = (identity: ProcessIdentity): Variables | undefined => {
  try {
    const entries = readFileSync(`/proc/${identity.pid}/environ`, "utf8").split("\0").flatMap((entry) => {
      const at = entry.indexOf("=")
      return at < 1 ? [] : [[entry.slice(0, at), entry.slice(at + 1)] as const]
    })
    // Afterwards: until then the pid may have become another process's.
    return isAlive(identity) ? named(entries) : undefined
  } catch {
    return undefined
  }
}
