import { Effect } from "effect"
import { createHash } from "node:crypto"
import * as path from "node:path"
import { HostFileUnusable } from "../../contract/errors/errors.ts"
import { readText } from "../../system/files/content.ts"
import { realPath, realPlace } from "../../system/files/host-path.ts"
import { type KnownFile, readKnown } from "../../system/files/replace.ts"
import { packageRoot } from "../../system/processes/native.ts"
import { type HostFileRecord, readRecord } from "../connect/host-files.ts"
import type { AgentHost, HostScope, Place } from "../hosts/agent-host.ts"

/** Name of pyro's skill, and of its folder. */
const SKILL = "pyro"

const unusable = ({ name }: AgentHost, file: string) => ({ detail }: { readonly detail: string }) =>
  new HostFileUnusable({ host: name, path: file, detail })

/** The text of pyro's skill. */
export const skillText = (host: AgentHost): Effect.Effect<string, HostFileUnusable> => {
  const file = path.join(packageRoot(), "docs", "skills", SKILL, "SKILL.md")
  return Effect.mapError(readText(file), unusable(host, file))
}

/** The path of pyro's skill in a host. Undefined if pyro knows no folder of skills of the host. */
export const skillFile = (host: AgentHost, scope: HostScope, place: Place): string | undefined => {
  const folder = host.skills?.(scope, place)
  return folder === undefined ? undefined : path.join(folder, SKILL, "SKILL.md")
}

export const digestOf = (text: string) => createHash("sha256").update(text).digest("hex")

/** pyro's skill in a host's folder. */
export interface FoundSkill {
  readonly path: string
  readonly known: KnownFile
  readonly record: HostFileRecord | undefined
  /** The text of this pyro. */
  readonly text: string
  /** `older`: as an earlier pyro wrote it. `other`: a person wrote or changed it, or a link leads to it. */
  readonly state: "absent" | "current" | "older" | "other"
  /** `connect --skill` of this host counts on the file. */
  readonly isUsed: boolean
  /** Target file of a link of the skill's own folder or file. */
  readonly linked: string | undefined
}

/** Finds pyro's skill in a host's folder. Undefined if pyro knows no folder of skills of the host. */
export const findSkill = (
  host: AgentHost,
  scope: HostScope,
  place: Place
): Effect.Effect<FoundSkill | undefined, HostFileUnusable> =>
  Effect.gen(function*() {
    const file = skillFile(host, scope, place)
    if (file === undefined) return undefined
    const text = yield* skillText(host)
    const known = yield* Effect.mapError(readKnown(file), unusable(host, file))
    const record = yield* readRecord(place.state, known.real)
    const folder = path.dirname(path.dirname(file))
    // A link above the skill's folder is the person's: their dotfiles may be elsewhere.
    const wanted = path.join(realPath(folder) ?? realPlace(folder), SKILL, "SKILL.md")
    const linked = known.real === wanted ? undefined : known.real
    const state = known.text === undefined
      ? "absent"
      : linked !== undefined
      ? "other"
      : known.text === text
      ? "current"
      : record?.wrote === digestOf(known.text)
      ? "older"
      : "other"
    return { path: file, known, record, text, state, isUsed: record?.hosts?.includes(host.name) === true, linked }
  })
