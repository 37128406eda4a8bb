import { Effect } from "effect"
import * as path from "node:path"
import { publicUrl } from "../../../contract/text/public-url.ts"
import { writeFile } from "../../../system/files/content.ts"
import { attempt } from "../../../system/files/failure.ts"
import { readBounded } from "../model/host-files.ts"
import { git, type GitRoom, withoutTree } from "./confined-git.ts"
import { filterSettings } from "./filters.ts"
import type { Identity } from "./identity.ts"

/** Settings of a foreign repository, by git's names in lower case (the middle part unchanged). */
export type Settings = ReadonlyMap<string, string>

/** Settings with several values, of which git takes the first one in most places. */
const firstCounts = /\.(url|merge)$/

/** Reads the output of `git config --list -z`. As in git, the last value of a name counts. */
const parseSettings = (listed: Buffer): Settings => {
  const settings = new Map<string, string>()
  for (const record of listed.toString().split("\0")) {
    const end = record.indexOf("\n")
    const name = end < 0 ? record : record.slice(0, end)
    if (name !== "" && !(firstCounts.test(name) && settings.has(name))) {
      settings.set(name, end < 0 ? "true" : record.slice(end + 1))
    }
  }
  return settings
}

/** The settings in a file. git follows no include in it. */
export const settingsIn = (room: GitRoom, file: string) =>
  Effect.map(git(withoutTree(room), ["config", "--file", file, "--no-includes", "--list", "-z"]), parseSettings)

/** Settings for the comparison of work tree files. Each changes the result of `git status` and can run nothing. */
const carried: ReadonlyArray<readonly [string, RegExp]> = Object.entries({
  "core.filemode": /^(true|false)$/i,
  "core.symlinks": /^(true|false)$/i,
  "core.autocrlf": /^(true|false|input)$/i,
  "core.eol": /^(lf|crlf|native)$/i
})

/** Names of these settings. */
export const carriedNames: ReadonlyArray<string> = carried.map(([name]) => name)

export const carriedSettings = (settings: Settings): ReadonlyArray<readonly [string, string]> =>
  carried.flatMap(([name, allowed]) => {
    const value = settings.get(name)
    return value !== undefined && allowed.test(value)
      ? [[name.slice("core.".length), value.toLowerCase()] as const]
      : []
  })

/** `sha1`, or another that a repository names its objects by. */
export const objectFormat = (settings: Settings) =>
  settings.get("extensions.objectformat")?.toLowerCase() === "sha256" ? "sha256" : "sha1"

interface Upstream {
  readonly branch: string
  readonly remote: string
  /** Name in the remote, `refs/heads/main`. */
  readonly merge: string
  /** Name of the remote-tracking branch, `refs/remotes/origin/main`. */
  readonly tracking: string
}

const plainName = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$/

export const upstreamOf = (settings: Settings, ref: string | undefined): Upstream | undefined => {
  const branch = ref?.startsWith("refs/heads/") === true ? ref.slice("refs/heads/".length) : undefined
  const remote = settings.get(`branch.${branch}.remote`) ?? ""
  const merge = settings.get(`branch.${branch}.merge`) ?? ""
  const short = merge.startsWith("refs/heads/") ? merge.slice("refs/heads/".length) : ""
  return branch !== undefined && plainName.test(remote) && plainName.test(short)
    ? { branch, remote, merge, tracking: `refs/remotes/${remote}/${short}` }
    : undefined
}

/** Whether git reads a setting as true. */
export const isTrue = (value: string | undefined) => /^(true|yes|on|1)$/i.test(value ?? "")

/** Remote that a partial clone fetches absent objects from; undefined for a repository with all objects. */
export const promisorOf = (settings: Settings): string | undefined => {
  const remotes = [...settings].flatMap(([key, value]) => {
    const name = /^remote\.(.+)\.promisor$/s.exec(key)?.[1]
    return name !== undefined && isTrue(value) ? [name] : []
  })
  const remote = remotes[0] ?? settings.get("extensions.partialclone")
  return remote === undefined || plainName.test(remote) ? remote : "origin"
}

/** Rules of a sparse checkout: only a part of the tracked files is on the disk. */
export interface Sparse {
  readonly patterns: Buffer
  readonly isCone: boolean
}

/** URLs of all remotes. */
export const remoteUrls = (settings: Settings): ReadonlyArray<string> =>
  [...settings].flatMap(([key, value]) => /^remote\..+\.url$/s.test(key) ? [value] : [])

/** Remotes whose URL the guest may know. For a remote without a URL, git would use a directory of the remote's name. */
const remotesOf = (settings: Settings): ReadonlyMap<string, string> =>
  new Map([...settings].flatMap(([key, value]) => {
    const name = /^remote\.(.+)\.url$/s.exec(key)?.[1]
    const url = name !== undefined && plainName.test(name) ? publicUrl(value) : undefined
    return name === undefined || url === undefined ? [] : [[name, url] as const]
  }))

/**
 * Upstream of a branch. Without a remote that the guest may know, the upstream is a reference of the guest's own repository, `.` to
 * git.
 */
const upstreamSettings = ({ merge, remote, tracking }: Upstream, remotes: ReadonlyMap<string, string>) =>
  remotes.has(remote) ? { remote, merge } : { remote: ".", merge: tracking }

const quoted = (text: string) => `"${text.replace(/[\\"]/g, "\\$&")}"`

/** A submodule with files, for the configuration of the surrounding repository. */
export interface Submodule {
  readonly name: string
  /** `undefined` if the guest may not know it. */
  readonly url: string | undefined
}

type Values = Iterable<readonly [name: string, value: string | undefined]>

/** A section with the values that are set. Empty without one. */
const section = (title: string, values: Values) => {
  const lines = [...values].flatMap(([name, value]) => value === undefined ? [] : [`\t${name} = ${value}\n`])
  return lines.length === 0 ? "" : `[${title}]\n${lines.join("")}`
}

const quotedSection = (title: string, values: Values) =>
  section(
    title,
    Array.from(values, ([name, value]) => [name, value === undefined ? undefined : quoted(value)] as const)
  )

/** The configuration that the guest's git gets. */
export const guestConfig = ({ attributesFile, filters, identity, settings, sparse, submodules, upstream }: {
  readonly settings: Settings
  readonly upstream: Upstream | undefined
  readonly identity: Identity
  readonly submodules: ReadonlyArray<Submodule>
  readonly filters: ReadonlyArray<string>
  readonly sparse: Sparse | undefined
  /** Attribute file of the host's user, in the guest. */
  readonly attributesFile: string | undefined
}): string => {
  const isSha256 = objectFormat(settings) === "sha256"
  const promisor = promisorOf(settings)
  const remotes = remotesOf(settings)
  const core = new Map([
    ["repositoryformatversion", isSha256 || promisor !== undefined ? "1" : "0"],
    ["filemode", "true"],
    ["bare", "false"],
    ["logallrefupdates", "true"],
    // The index compares times and sizes, which the host's files have too. Inodes and change times are the guest's own.
    ["checkStat", "minimal"],
    ...(attributesFile === undefined ? [] : [["attributesFile", quoted(attributesFile)] as const]),
    ...carriedSettings(settings)
  ])
  return [
    section("core", core),
    section("extensions", [
      ["objectformat", isSha256 ? "sha256" : undefined],
      ["partialClone", promisor === undefined ? undefined : quoted(promisor)]
    ]),
    sparse === undefined
      ? ""
      : section("core", [["sparseCheckout", "true"], ["sparseCheckoutCone", String(sparse.isCone)]]),
    // Otherwise git would check out files that have a filter, which it must leave alone.
    sparse === undefined || filters.length === 0 ? "" : section("sparse", [["expectFilesOutsideOfPatterns", "true"]]),
    promisor === undefined ? "" : section(`remote ${quoted(promisor)}`, [["promisor", "true"]]),
    ...Array.from(
      remotes,
      ([name, url]) =>
        section(`remote ${quoted(name)}`, [["url", quoted(url)], ["fetch", `+refs/heads/*:refs/remotes/${name}/*`]])
    ),
    upstream === undefined
      ? ""
      : quotedSection(`branch ${quoted(upstream.branch)}`, Object.entries(upstreamSettings(upstream, remotes))),
    quotedSection("user", [["name", identity.name], ["email", identity.email]]),
    ...filters.map((filter) => quotedSection(`filter ${quoted(filter)}`, filterSettings(filter))),
    ...submodules.map(({ name, url }) =>
      section(`submodule ${quoted(name)}`, [["active", "true"], ["url", url === undefined ? undefined : quoted(url)]])
    )
  ].join("")
}

const mostBytes = 1024 * 1024

/** Names that git accepts for a submodule, and a configuration for a section. */
const isName = (name: string) =>
  name.length <= 200 && !/[\p{Cc}\ufffd]/u.test(name) && !name.split(/[/\\]/).includes("..")

/** Submodules at these paths of a work tree, by their names in `.gitmodules`. */
export const submodulesAt = (
  { room, settings }: { readonly room: GitRoom; readonly settings: Settings },
  workTree: string,
  paths: ReadonlyArray<string>
) =>
  Effect.gen(function*() {
    const content = paths.length === 0
      ? undefined
      : yield* attempt("read", workTree, () => readBounded(path.join(workTree, ".gitmodules"), mostBytes))
    if (content === undefined) return []
    const copy = path.join(room.gitDir, "modules")
    yield* writeFile(copy, content)
    const said = yield* settingsIn(room, copy)
    return [...said].flatMap(([key, value]): ReadonlyArray<Submodule> => {
      const name = /^submodule\.(.+)\.path$/s.exec(key)?.[1]
      if (name === undefined || !isName(name) || !paths.includes(value)) return []
      const url = settings.get(`submodule.${name}.url`) ?? said.get(`submodule.${name}.url`)
      return [{ name, url: url === undefined ? undefined : publicUrl(url) }]
    })
  }).pipe(
    // git in the guest cannot parse the file either.
    Effect.catchTag("GitFailed", () => Effect.succeed([]))
  )
