import { Effect } from "effect"
import * as path from "node:path"
import { ensureFolder, listIfPresent } from "../system/files/entries.ts"
import type { FileFailed } from "../system/files/failure.ts"
import { checkWritable, type KnownFile, readKnown, removeKnown, replaceKnown } from "../system/files/replace.ts"
import { MADE_BY } from "./entry.ts"

/** The Include line, which must come before the first Host of the file. A relative path is relative to ~/.ssh. */
const INCLUDE = "Include pyro/*.conf"
const BLOCK = `${MADE_BY}: entries of workspaces, of pyro ssh-config --write\n${INCLUDE}\n`

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

/** A change of one file. `undefined`: the file is removed. */
export interface Change {
  readonly known: KnownFile
  readonly text: string | undefined
}

const isInclude = (line: string) => line.trim() === INCLUDE

const withInclude = (text = "") => {
  const lines = text.split("\n")
  const first = lines.findIndex((line) => /^\s*(host|match)\b/i.test(line))
  const isIncluded = lines.slice(0, first < 0 ? lines.length : first).some(isInclude)
  return isIncluded ? text : `${BLOCK}${text === "" ? "" : "\n"}${text}`
}

const withoutInclude = (text: string) =>
  text.includes(BLOCK)
    ? text.replace(`${BLOCK}\n`, "").replace(BLOCK, "")
    : text.split("\n").filter((line) => !isInclude(line)).join("\n")

/** Changes that bring the entry there. None if it is there already. Nothing is written. */
export const planWrite = (places: Places, entry: string): Effect.Effect<ReadonlyArray<Change>, FileFailed> =>
  Effect.gen(function*() {
    const own = yield* readKnown(places.entry)
    const config = yield* readKnown(places.config)
    const changes: ReadonlyArray<Change> = [
      { known: own, text: entry },
      { known: config, text: withInclude(config.text) }
    ].filter(({ known, text }) => known.text !== text)
    yield* Effect.forEach(changes, ({ known }) => checkWritable(known), { discard: true })
    return changes
  })

/** Changes that remove the entry. The last entry takes the Include line along. Nothing is written. */
export const planRemove = (places: Places): Effect.Effect<ReadonlyArray<Change>, FileFailed> =>
  Effect.gen(function*() {
    const own = yield* readKnown(places.entry)
    const others = (yield* listIfPresent(places.folder)).filter((name) =>
      name.endsWith(".conf") && name !== path.basename(places.entry)
    )
    const config = yield* readKnown(places.config)
    const rest = config.text === undefined || others.length > 0 ? config.text : withoutInclude(config.text)
    return [{ known: own, text: undefined }, { known: config, text: rest }].filter(({ known, text }) =>
      known.text !== text
    )
  })

/** Writes changes. Another program's change of a file since the plan is refused. Only this user can read a new file. */
export const apply = (places: Places, changes: ReadonlyArray<Change>): Effect.Effect<void, FileFailed> =>
  Effect.andThen(
    // OpenSSH refuses files of a directory that others can write to.
    Effect.andThen(ensureFolder(path.dirname(places.config), 0o700), ensureFolder(places.folder, 0o700)),
    Effect.forEach(
      changes,
      ({ known, text }) => text === undefined ? removeKnown(known) : replaceKnown(known, text, 0o600),
      { discard: true }
    )
  )
