import { Context, Effect, Schema } from "effect"
import * as path from "node:path"
import { matching, optional } from "../../../contract/text/fields.ts"
import { realPath } from "../../../system/files/host-path.ts"
import { OuterRules } from "./outer-rules.ts"

const Texts = Schema.Array(Schema.String)
const Remarks = Schema.Array(Schema.Struct({ path: Schema.String, reason: Schema.String }))

/**
 * What the client of another machine knows about a directory that it has packed: all files of it are chosen, and its git was asked there. The directory
 * of this host with the files is no repository.
 */
export const PackedFacts = Schema.Struct({
  /**
   * Names the directory on the client's machine without its path: a directory beneath it has a project that begins with this one and a slash. The first
   * component is the client's.
   */
  project: Schema.String.pipe(matching(/^(\/[0-9a-z]{1,64}){1,256}$/, "must be a project of a client")),
  /** The name of the directory, without those above it. */
  name: Schema.String.pipe(matching(/^[^/\0]{1,255}$/, "must be the name of a directory")),
  /** The repository, if its history goes along. */
  git: optional(Schema.Struct({
    head: optional(Schema.String.pipe(matching(/^([0-9a-f]{40}|[0-9a-f]{64})$/, "must be an object's id"))),
    ref: optional(Schema.String),
    mode: Schema.Literals(["shallow", "full", "none"])
  })),
  /** Ignored files and directories that stay at the client. */
  left: Texts,
  /** Paths that are not copied, and why. */
  skipped: Remarks,
  /** Why a part of the git configuration does not count. */
  notes: Texts,
  /** Why all files are copied. Absent: ignored ones are not. */
  whole: optional(Schema.String),
  filtered: Schema.Array(Schema.Struct({ filter: Schema.String, paths: Texts })),
  rules: optional(OuterRules)
})
export type PackedFacts = typeof PackedFacts.Type

/** The packed directories of this fiber's request, by their real paths. */
export const packedSources: Context.Reference<ReadonlyMap<string, PackedFacts>> = Context.Reference(
  "pyro/seeding/packedSources",
  { defaultValue: (): ReadonlyMap<string, PackedFacts> => new Map() }
)

/** The packed directory with a path, and the rest of the path. */
const packedAround = (directory: string) =>
  Effect.map(packedSources, (all) => {
    if (all.size === 0) return undefined
    const real = realPath(directory) ?? directory
    for (let at = real;; at = path.dirname(at)) {
      const facts = all.get(at)
      if (facts !== undefined) return { facts, rest: real.slice(at.length) }
      if (at === path.dirname(at)) return undefined
    }
  })

/** What is known about a directory, if a client has packed it, or one around it. */
export const packedAt = (directory: string): Effect.Effect<PackedFacts | undefined> =>
  Effect.map(packedAround(directory), (found) => {
    if (found === undefined || found.rest === "") return found?.facts
    const { facts: { project }, rest } = found
    return { project, name: path.basename(rest), left: [], skipped: [], notes: [], filtered: [] }
  })

/** The source of a workspace as people read it. A client's path stays with the client. */
export const shownSource = (directory: string): Effect.Effect<string> =>
  Effect.map(packedAt(directory), (packed) => packed === undefined ? directory : `client:${packed.name}`)

/** Names a path among all that builds were made of, so that the next build of it finds the last one. */
export const placeOf = (file: string): Effect.Effect<string> =>
  Effect.map(
    packedAround(file),
    (found) => found === undefined ? file : `${found.facts.project}/${found.facts.name}${found.rest}`
  )
