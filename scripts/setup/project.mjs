import { readdirSync, statSync } from "node:fs"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

/** The clone's top folder. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

export const inRoot = (...names) => join(root, ...names)

/** TypeScript 7 with Effect's diagnostics: a program that takes the arguments of tsc. */
export const typesCompiler = inRoot("node_modules/@effect/tsgo-linux-x64/lib/tsc")

/** Modification time of `path`, in ms since the epoch; 0 without the file. */
export const writtenAt = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0

/** When the newest file beneath `path` was written, `skip`ped folder names left out; 0 when there is none. */
export const newestBeneath = (path, skip = []) => {
  const entry = statSync(path, { throwIfNoEntry: false })
  if (entry === undefined) return 0
  if (!entry.isDirectory()) return entry.mtimeMs
  return readdirSync(path)
    .filter((name) => !skip.includes(name))
    .reduce((newest, name) => Math.max(newest, newestBeneath(join(path, name), skip)), 0)
}
