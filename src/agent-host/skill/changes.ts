import { Effect } from "effect"
import { HostFileUnusable } from "../../contract/errors/errors.ts"
import { hostNames } from "../../contract/rows/agent-host.ts"
import { type FileChange, type HostFileRecord, type RecordChange, undone, undoOf } from "../connect/host-files.ts"
import type { AgentHost, HostScope, Place } from "../hosts/agent-host.ts"
import { digestOf, findSkill, type FoundSkill } from "./skill.ts"

/** `put` writes the skill, `mend` writes a skill that pyro wrote before, `take` removes it. */
export type SkillWork = "put" | "mend" | "take"

interface SkillPlan {
  readonly files: ReadonlyArray<FileChange>
  readonly records: ReadonlyArray<RecordChange>
  readonly notes: ReadonlyArray<string>
  /** Path of a skill that a person wrote or changed, and that `put` replaces. */
  readonly differing?: string
}

const nothing: SkillPlan = { files: [], records: [], notes: [] }

/** The hosts of a record, in the order of pyro's list. */
const withHost = (record: HostFileRecord | undefined, name: string) =>
  hostNames.filter((one) => one === name || record?.hosts?.includes(one) === true)

/** The text before pyro's first change. Undefined if pyro made the file. */
const textBefore = ({ known: { text }, record, state }: FoundSkill): string | undefined =>
  text === undefined || (record?.created === true && state !== "other")
    ? undefined
    : record === undefined || state === "other"
    ? text
    : undone(text, record) ?? text

const put = (name: string, found: FoundSkill): FileChange => {
  const { known, record, text } = found
  const before = textBefore(found)
  const undo = before === undefined ? undefined : undoOf(text, before)
  return {
    known,
    after: text,
    record: {
      created: before === undefined,
      ...(record?.made === undefined ? {} : { made: record.made }),
      ...(undo === undefined ? {} : { undo }),
      wrote: digestOf(text),
      hosts: withHost(record, name)
    }
  }
}

/** Removes the skill with its last host. A changed file stays. */
const taken = ({ name }: AgentHost, found: FoundSkill): SkillPlan => {
  const { isUsed, known, path: file, record, state } = found
  const others = record?.hosts?.filter((one) => one !== name) ?? []
  if (record !== undefined && !isUsed) return nothing
  const kept = record === undefined ? [] : [{ known, record: undefined }]
  if (state === "absent") return { ...nothing, records: kept }
  if (record !== undefined && others.length > 0) {
    const notes = [`${file} stays, because ${others.join(" and ")} use${others.length === 1 ? "s" : ""} it`]
    return { ...nothing, records: [{ known, record: { ...record, hosts: others } }], notes }
  }
  if (record === undefined || state === "other") {
    return { ...nothing, records: kept, notes: [`${file} stays: it is not as pyro host connect wrote it`] }
  }
  return { ...nothing, files: [{ known, after: textBefore(found), ...(record.created ? { disposable: true } : {}) }] }
}

/** Plans the changes of a command to pyro's skill in a host. */
export const skillPlan = (
  { host, place, scope }: { readonly host: AgentHost; readonly scope: HostScope; readonly place: Place },
  work: SkillWork
): Effect.Effect<SkillPlan, HostFileUnusable> =>
  Effect.gen(function*() {
    const found = yield* findSkill(host, scope, place)
    if (found === undefined) return nothing
    const { isUsed, known, linked, path: file, record, state } = found
    if (work === "take") return taken(host, found)
    if (work === "mend" && (!isUsed || state === "other")) return nothing
    if (linked !== undefined) {
      const detail = `a symbolic link leads to ${linked}. Remove the link`
      return yield* new HostFileUnusable({ host: host.name, path: file, detail })
    }
    if (state === "current") {
      // A file that pyro did not write stays the person's.
      return record === undefined || isUsed
        ? nothing
        : { ...nothing, records: [{ known, record: { ...record, hosts: withHost(record, host.name) } }] }
    }
    return { ...nothing, files: [put(host.name, found)], ...(state === "other" ? { differing: file } : {}) }
  })
