import type { Identity } from "./identity.ts"

/** Settings of a foreign repository, by git's own names of them in lower case (the part between the dots as it is). */
export type Settings = ReadonlyMap<string, string>

/** Reads the output of `git config --list -z`; the first value of a name counts. */
export const parseSettings = (listed: Buffer): Settings => {
  const settings = new Map<string, string>()
  for (const record of listed.toString().split("\0")) {
    const end = record.indexOf("\n")
    const name = end < 0 ? record : record.slice(0, end)
    if (name !== "" && !settings.has(name)) settings.set(name, end < 0 ? "true" : record.slice(end + 1))
  }
  return settings
}

/** How the files of the work tree are to be compared; each decides what `git status` says and can run nothing. */
const carried: ReadonlyArray<readonly [string, RegExp]> = Object.entries({
  "core.filemode": /^(true|false)$/i,
  "core.symlinks": /^(true|false)$/i,
  "core.autocrlf": /^(true|false|input)$/i,
  "core.eol": /^(lf|crlf|native)$/i
})

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

/** A remote's URL as a guest may know it: without credentials, and nothing when it names a place on the host. */
export const publicUrl = (url: string): string | undefined => {
  if (/[\0-\x20\x7f"\\]/.test(url)) return undefined
  // user@host:path, where the user of a forge is no secret
  if (/^[A-Za-z0-9._-]+@[A-Za-z0-9.-]+:[^:]*$/.test(url)) return url
  if (!/^(https?|ssh|git):\/\//.test(url) || !URL.canParse(url)) return undefined
  const parsed = new URL(url)
  parsed.password = ""
  if (parsed.protocol !== "ssh:") parsed.username = ""
  parsed.search = ""
  parsed.hash = ""
  return parsed.href
}

export interface Upstream {
  readonly branch: string
  readonly remote: string
  /** As the remote has it, `refs/heads/main`. */
  readonly merge: string
  /** Where this repository keeps what it knows of it, `refs/remotes/origin/main`. */
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

/** Remotes by name; without a URL where the guest may not know it, which still has branches follow it. */
export const remotesOf = (
  settings: Settings
): ReadonlyArray<{ readonly name: string; readonly url: string | undefined }> =>
  [...settings].flatMap(([key, value]) => {
    const name = /^remote\.(.+)\.url$/s.exec(key)?.[1]
    return name !== undefined && plainName.test(name) ? [{ name, url: publicUrl(value) }] : []
  })

const quoted = (text: string) => `"${text.replace(/[\\"]/g, "\\$&")}"`

/** A submodule that has its files, as the configuration of the repository around it says it. */
export interface Submodule {
  readonly name: string
  /** Undefined where the guest may not know it. */
  readonly url: string | undefined
}

/** The configuration that the guest's git gets. */
export const guestConfig = (options: {
  readonly settings: Settings
  readonly upstream: Upstream | undefined
  readonly identity?: Identity
  readonly submodules?: ReadonlyArray<Submodule>
}): string => {
  const sha256 = objectFormat(options.settings) === "sha256"
  const core = new Map([
    ["repositoryformatversion", sha256 ? "1" : "0"],
    ["filemode", "true"],
    ["bare", "false"],
    ["logallrefupdates", "true"],
    // Inodes and change times are the guest's own; times and sizes are the host's, by which the index knows its files.
    ["checkStat", "minimal"],
    ...carriedSettings(options.settings)
  ])
  const section = (title: string, values: Iterable<readonly [string, string]>) =>
    `[${title}]\n${[...values].map(([name, value]) => `\t${name} = ${value}\n`).join("")}`
  const { email, name } = options.identity ?? {}
  const identity = [["name", name], ["email", email]] as const
  return [
    section("core", core),
    sha256 ? section("extensions", [["objectformat", "sha256"]]) : "",
    ...remotesOf(options.settings).map(({ name, url }) =>
      section(`remote ${quoted(name)}`, [
        ...(url === undefined ? [] : [["url", quoted(url)] as const]),
        ["fetch", `+refs/heads/*:refs/remotes/${name}/*`]
      ])
    ),
    options.upstream === undefined ? "" : section(`branch ${quoted(options.upstream.branch)}`, [
      ["remote", quoted(options.upstream.remote)],
      ["merge", quoted(options.upstream.merge)]
    ]),
    name === undefined && email === undefined
      ? ""
      : section("user", identity.flatMap(([key, value]) => value === undefined ? [] : [[key, quoted(value)] as const])),
    ...(options.submodules ?? []).map(({ name, url }) =>
      section(`submodule ${quoted(name)}`, [
        ["active", "true"],
        ...(url === undefined ? [] : [["url", quoted(url)] as const])
      ])
    )
  ].join("")
}
