import { Effect } from "effect"
import { InvalidRequest } from "../../contract/errors.ts"
import type { CreatePayload } from "../../contract/operations/workspace-lifecycle.ts"
import type { Owner, SeedImage, SeedImages, SeedReport } from "../../disk/SeedImages.ts"
import type { Paths } from "../../system/Paths.ts"
import type { HostFacts } from "../../vm/host/HostFacts.ts"
import type { History } from "./git-directory.ts"

export type GitMode = History | "none"

export interface SeedRequest {
  /** A directory or an archive of the host. */
  readonly seedPath?: string | undefined
  /** An https URL, an http one of this host, or a path of a repository; instead of `seedPath`. */
  readonly repoUrl?: string | undefined
  /** Branch, tag or commit id; what HEAD is there when absent. */
  readonly repoRef?: string | undefined
  readonly git: GitMode
  /** Ignored files to take along. */
  readonly includeIgnored: ReadonlyArray<string>
  /** Whether a home directory or the whole host may be taken. @default false */
  readonly allowHome?: boolean
  readonly virtualMib: number
  /** Whom everything belongs to. @default root */
  readonly owner?: Owner | undefined
}

export interface SeedGit {
  readonly head: string | undefined
  /** As `refs/heads/main`; undefined when detached. */
  readonly ref: string | undefined
  /** How much of it /workspace/.git has. */
  readonly mode: GitMode
}

export interface PreparedSeed {
  readonly image: SeedImage
  /** `left`: ignored files and directories that stayed on the host. */
  readonly report: SeedReport & { readonly git: SeedGit | undefined; readonly left?: ReadonlyArray<string> }
}

export type PrepareServices = SeedImages | Paths | HostFacts

/** A folder for one seed, and whether git can be locked up. */
export interface BuildDirectory {
  readonly folder: string
  readonly namespaces: boolean
}

/** Fails where a workspace is to start with two things, with a ref of nothing, or with ignored files of nothing. */
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
