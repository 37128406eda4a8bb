import { Effect } from "effect"
import { InvalidRequest } from "../../../contract/errors/errors.ts"
import type { CreatePayload } from "../../../contract/rows/workspace-lifecycle.ts"
import type { Paths } from "../../../system/files/Paths.ts"
import type { Owner, SeedImage, SeedImages, SeedReport } from "../../disk/SeedImages.ts"
import type { HostFacts } from "../../vm/model/HostFacts.ts"
import type { OuterRules } from "./outer-rules.ts"
import type { GitMode } from "./source.ts"

export interface SeedRequest {
  /** A directory or an archive of the host. */
  readonly seedPath?: string | undefined
  /** An https URL, an http URL of this host, or the path of a repository. Replaces `seedPath`. */
  readonly repoUrl?: string | undefined
  /** Branch, tag or commit id. Absent: HEAD. */
  readonly repoRef?: string | undefined
  readonly git: GitMode
  /** Ignored files to include. */
  readonly includeIgnored: ReadonlyArray<string>
  /** Whether the source may be a home directory or the whole host. @default false */
  readonly allowHome?: boolean
  readonly virtualMib: number
  /** Owner of all files. @default root */
  readonly owner?: Owner | undefined
}

export interface SeedGit {
  readonly head: string | undefined
  /** As `refs/heads/main`; undefined when detached. */
  readonly ref: string | undefined
  /** Extent of the history in /workspace/.git. */
  readonly mode: GitMode
}

export interface PreparedSeed {
  readonly image: SeedImage
  readonly report: SeedReport & {
    readonly git: SeedGit | undefined
    /** Ignored files and directories that stayed on the host. */
    readonly left?: ReadonlyArray<string>
    /** Why all files of a directory were copied, also those that git would ignore. */
    readonly whole?: string
    /** Why a part of the user's git configuration does not count. */
    readonly notes?: ReadonlyArray<string>
    /** Rules of git that no file of the seed has. */
    readonly rules?: OuterRules | undefined
    /** Files that git filters, by the filter's name. */
    readonly filtered?: ReadonlyArray<{ readonly filter: string; readonly paths: ReadonlyArray<string> }>
  }
}

export type PrepareServices = SeedImages | Paths | HostFacts

/** Fails for two sources, for a ref without a repository, and for ignored files without a directory. */
export const demandOneSeed = (
  { includeIgnored, repoRef, repoUrl, seedPath }:
    & Pick<CreatePayload, "includeIgnored" | "seedPath">
    & Partial<Pick<CreatePayload, "repoRef" | "repoUrl">>
): Effect.Effect<void, InvalidRequest> => {
  if (includeIgnored.length > 0 && seedPath === undefined) {
    return Effect.fail(new InvalidRequest({ field: "include_ignored", detail: "goes with a seed path only" }))
  }
  if (repoUrl !== undefined && seedPath !== undefined) {
    return Effect.fail(new InvalidRequest({ field: "repo_url", detail: "excludes a seed path: give one of them" }))
  }
  return repoRef !== undefined && repoUrl === undefined
    ? Effect.fail(new InvalidRequest({ field: "repo_ref", detail: "goes with a repository's URL only" }))
    : Effect.void
}
