import { Effect } from "effect"
import * as path from "node:path"
import type { NoSpace, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { makeKey, publicLineOf } from "../../../lib/ssh/keys.ts"
import { writeFileAtomic } from "../../../system/files/atomic-file.ts"
import { readIfReadable } from "../../../system/files/content.ts"
import { ensureFolder } from "../../../system/files/entries.ts"
import { toHostErrorOf } from "../../../system/files/failure.ts"
import type { WorkspaceFolder } from "../../entry/record.ts"

/** The keys of a workspace. Both are removed with its folder, and no other workspace has them. */
export interface Keys {
  /** Private key of the server. It never leaves the daemon. */
  readonly hostKey: string
  readonly hostLine: string
  /** Public line of the key that may log in. */
  readonly clientLine: string
  readonly identityFile: string
  readonly knownHostsFile: string
}

/** A private key in a file, made if there is none. */
const keyIn = (file: string, comment: string) =>
  Effect.gen(function*() {
    const known = readIfReadable(file)
    const line = known === undefined ? undefined : publicLineOf(known)
    if (known !== undefined && line !== undefined) return { privateText: known, publicLine: line }
    const made = makeKey(comment)
    yield* writeFileAtomic(file, made.privateText, { mode: 0o600 })
    return made
  })

/** Reads the keys of a workspace, and makes those that are missing or damaged. One caller at a time. */
export const keysOf = (
  { directory, ssh }: Pick<WorkspaceFolder, "directory" | "ssh">
): Effect.Effect<Keys, NoSpace | StateDirectoryUnusable> =>
  Effect.gen(function*() {
    const id = path.basename(directory)
    const identityFile = path.join(ssh, "client")
    const knownHostsFile = path.join(ssh, "known_hosts")
    yield* ensureFolder(ssh, 0o700)
    const host = yield* keyIn(path.join(ssh, "host"), `pyro host key of ${id}`)
    const client = yield* keyIn(identityFile, `pyro client key of ${id}`)
    const entry = `${id} ${host.publicLine}\n`
    if (readIfReadable(knownHostsFile) !== entry) yield* writeFileAtomic(knownHostsFile, entry, { mode: 0o600 })
    return {
      hostKey: host.privateText,
      hostLine: host.publicLine,
      clientLine: client.publicLine,
      identityFile,
      knownHostsFile
    }
  }).pipe(Effect.mapError(toHostErrorOf(directory)))
