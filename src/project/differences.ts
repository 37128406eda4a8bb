import { Schema } from "effect"
import { named } from "../contract/text/names.ts"
import { isObject } from "../system/files/atomic-file.ts"
import { Definition } from "./definition.ts"

/** A key that a file says otherwise than the workspace was made. Undefined: the key is absent on this side. */
export interface Difference {
  /** The key, with dots between the tables. */
  readonly key: string
  readonly before: unknown
  readonly now: unknown
}

/** The file's form of a definition, with all numbers in one unit. */
export const encoded = (definition: Definition): Readonly<Record<string, unknown>> =>
  Schema.encodeSync(Definition())(definition)

/** Keys that a workspace has for its life: another value needs another workspace. */
const OF_NEW = ["environment", "dockerfile", "devcontainer", "build", "seed", "user", "cpus", "memory", "disk"]

const leaves = (value: unknown, key: ReadonlyArray<string> = []): ReadonlyArray<readonly [string, unknown]> =>
  isObject(value)
    ? Object.entries(value).flatMap(([name, one]) => leaves(one, [...key, name]))
    : [[key.join("."), value]]

/** Keys whose values differ, in the order of the keys. */
const differing = (before: unknown, now: unknown): ReadonlyArray<Difference> => {
  const [old, young] = [new Map(leaves(before)), new Map(leaves(now))]
  return [...new Set([...old.keys(), ...young.keys()])].sort()
    .map((key) => ({ key, before: old.get(key), now: young.get(key) }))
    .filter((one) => JSON.stringify(one.before) !== JSON.stringify(one.now))
}

/** Number of setup commands of two lists that are equal from the start. */
const equalSetup = (before: unknown, now: unknown) => {
  const [old, young] = [before, now].map((value): ReadonlyArray<unknown> => Array.isArray(value) ? value : [])
  const at = old!.findIndex((command, index) => JSON.stringify(command) !== JSON.stringify(young![index]))
  return at === -1 ? old!.length : at
}

/** How a workspace that was made from an earlier file gets to the present one. */
export interface Change {
  /** Changes that pyro makes in the workspace. */
  readonly applicable: ReadonlyArray<Difference>
  /** Changes that only a new workspace gets. */
  readonly ofNew: ReadonlyArray<Difference>
  /** The file as the workspace is after the change. */
  readonly after: unknown
}

/** Compares the file of a workspace, of which `setUp` setup commands ran, with the present one. */
export const changeOf = (before: unknown, now: Definition, setUp: number): Change => {
  const old = isObject(before) ? before : {}
  const young = encoded(now)
  const hasOtherSetup = equalSetup(old["setup"], young["setup"]) < setUp
  const isOfNew = ({ key }: Difference) => key === "setup" ? hasOtherSetup : OF_NEW.includes(key.split(".", 1)[0]!)
  const all = differing(old, young)
  const kept = [...OF_NEW, ...(hasOtherSetup ? ["setup"] : [])]
  return {
    applicable: all.filter((one) => !isOfNew(one)),
    ofNew: all.filter(isOfNew),
    after: named([
      ...Object.entries(young).filter(([key]) => !kept.includes(key)),
      ...Object.entries(old).filter(([key]) => kept.includes(key))
    ])
  }
}
