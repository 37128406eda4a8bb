import { Effect } from "effect"
import * as path from "node:path"
import { ensureFolder, exists, listIfPresent, removeEmptyFolder } from "../../system/files/entries.ts"
import type { FileFailed } from "../../system/files/failure.ts"
import { realPath } from "../../system/files/host-path.ts"
import { checkWritable, type KnownFile, readKnown, removeKnown, replaceKnown } from "../../system/files/replace.ts"
import { accountHome } from "../../system/processes/host.ts"
import { MADE_BY } from "./client-entry.ts"

/** The Include line, which must come before the first Host of the file. A relative path is relative to ~/.ssh. */
const INCLUDE = "Include pyro/*.conf"
const BLOCK = `${MADE_BY}: entries of workspaces, of pyro ssh-config --write\n${INCLUDE}\n`
/** First line of a file that pyro made, and of one whose directory it made, too. The removal of the last entry removes both. */
const NEW_FILE = `${MADE_BY}: this file\n`
const NEW_FOLDER = `${MADE_BY}: this file and its directory\n`

/** Where the entries of a person lie. */
export interface Places {
  readonly config: string
  readonly folder: string
  readonly entry: string
}

/** The places of the entry of `host`, beneath a home directory. */
export const placesOf = (home: string, host: string): Places => {
  const ssh = path.join(home, ".ssh")
  return {
    config: path.join(ssh, "config"),
    folder: path.join(ssh, "pyro"),
    entry: path.join(ssh, "pyro", `${host}.conf`)
  }
}

/** The home directory that OpenSSH's clients read, if it is another one than `home`: they ignore HOME. */
export const otherHome = (home: string): string | undefined => {
  const account = accountHome()
  if (account === undefined || path.resolve(account) === path.resolve(home)) return undefined
  const real = realPath(account)
  return real !== undefined && real === realPath(home) ? undefined : account
}

/** A change of one file. `undefined`: the file is removed. */
export interface Change {
  readonly known: KnownFile
  readonly text: string | undefined
}

const isInclude = (line: string) => line.trim() === INCLUDE

const withInclude = (text: string) => {
  const lines = text.split("\n")
  const first = lines.findIndex((line) => /^\s*(host|match)\b/i.test(line))
  const isIncluded = lines.slice(0, first < 0 ? lines.length : first).some(isInclude)
  return isIncluded ? text : `${BLOCK}${text === "" ? "" : "\n"}${text}`
}

const newConfig = ({ config }: Places) => `${exists(path.dirname(config)) ? NEW_FILE : NEW_FOLDER}${BLOCK}`

const isNew = (text: string) => text.startsWith(NEW_FILE) || text.startsWith(NEW_FOLDER)

const withoutInclude = (text: string) =>
  text.includes(BLOCK)
    ? text.replace(`${BLOCK}\n`, "").replace(BLOCK, "")
    : text.split("\n").filter((line) => !isInclude(line)).join("\n")

/** Content without the last entry. Undefined for a file that pyro made and no other program changed. */
const restOf = (text: string) => {
  const rest = withoutInclude(text.replace(NEW_FILE, "").replace(NEW_FOLDER, ""))
  return rest === "" && isNew(text) ? undefined : rest
}

/** Changes that bring the entry there. None if it is there already. Nothing is written. */
export const planWrite = (places: Places, entry: string): Effect.Effect<ReadonlyArray<Change>, FileFailed> =>
  Effect.gen(function*() {
    const own = yield* readKnown(places.entry)
    const config = yield* readKnown(places.config)
    const changes: ReadonlyArray<Change> = [
      { known: own, text: entry },
      { known: config, text: config.text === undefined ? newConfig(places) : withInclude(config.text) }
    ].filter(({ known, text }) => known.text !== text)
    yield* Effect.forEach(changes, ({ known }) => checkWritable(known), { discard: true })
    return changes
  })

/** Changes that remove the entry. The last entry takes the Include line along, or the file that pyro made for it. Nothing is written. */
export const planRemove = (places: Places): Effect.Effect<ReadonlyArray<Change>, FileFailed> =>
  Effect.gen(function*() {
    const own = yield* readKnown(places.entry)
    const others = (yield* listIfPresent(places.folder)).filter((name) =>
      name.endsWith(".conf") && name !== path.basename(places.entry)
    )
    const config = yield* readKnown(places.config)
    const rest = config.text === undefined || others.length > 0 ? config.text : restOf(config.text)
    return [{ known: own, text: undefined }, { known: config, text: rest }].filter(({ known, text }) =>
      known.text !== text
    )
  })

/**
 * Writes changes. Another program's change of a file since the plan is refused. Only this user can read a new file. Directories that pyro
 * made go when they are empty.
 */
export const apply = (places: Places, changes: ReadonlyArray<Change>): Effect.Effect<void, FileFailed> =>
  Effect.gen(function*() {
    const ssh = path.dirname(places.config)
    const changeOf = (file: string) => changes.find(({ known }) => known.path === file)
    const [entry, config] = [changeOf(places.entry), changeOf(places.config)]
    if (entry?.text !== undefined) {
      // OpenSSH refuses files of a directory that others can write to.
      yield* ensureFolder(ssh, 0o700)
      yield* ensureFolder(places.folder, 0o700)
    }
    for (const { known, text } of changes) {
      yield* text === undefined ? removeKnown(known) : replaceKnown(known, text, 0o600)
    }
    if (entry !== undefined && entry.text === undefined) yield* Effect.ignore(removeEmptyFolder(places.folder))
    if (config !== undefined && config.text === undefined && config.known.text?.startsWith(NEW_FOLDER) === true) {
      yield* Effect.ignore(removeEmptyFolder(ssh))
    }
  })
