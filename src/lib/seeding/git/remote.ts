import { Effect } from "effect"
import { createHash } from "node:crypto"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { SeedRejected, StateDirectoryUnusable } from "../../../contract/errors/errors.ts"
import { publicUrl } from "../../../contract/text/public-url.ts"
import { writeFile } from "../../../system/files/content.ts"
import { ensureFolder, setTimes } from "../../../system/files/entries.ts"
import { toHostError } from "../../../system/files/failure.ts"
import { withLock } from "../../../system/files/lock.ts"
import { nowMs } from "../../../system/waits/time.ts"
import { clearRepository, lockOf, repositoriesOf } from "../model/cache.ts"
import { GitFailed } from "../model/git-failed.ts"
import type { History } from "../model/source.ts"
import { git, type GitOptions, type GitRoom } from "./confined-git.ts"
import { isObjectId, isRefName, resolveRef } from "./repository.ts"

/** Source of a repository's fetch. */
export type SourceUrl =
  | {
    readonly _tag: "remote"
    /** URL for git, with credentials. Never shown. */
    readonly url: string
    /** URL for people and the guest. */
    readonly shown: string
    readonly protocols: ReadonlyArray<string>
  }
  | { readonly _tag: "local"; readonly path: string }
  | { readonly _tag: "refused"; readonly reason: string }

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/**
 * Parses a URL. https is allowed for every host, http for this host only, because http proves no origin. Paths and file: URLs name
 * the user's repositories; pyro reads only their objects. ssh would need the user's keys in a process that talks to a foreign server, so
 * users clone such a repository themselves and seed from its path.
 */
export const parseSource = (url: string): SourceUrl => {
  if (url.startsWith("/")) return { _tag: "local", path: url }
  if (url.startsWith("file:///")) return { _tag: "local", path: fileURLToPath(url) }
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const shown = publicUrl(url)
  if (parsed === undefined || shown === undefined || url.startsWith("-")) {
    return { _tag: "refused", reason: "it is no https URL and no absolute path" }
  }
  if (parsed.protocol === "https:") return { _tag: "remote", url, shown, protocols: ["https"] }
  if (parsed.protocol === "http:") {
    return loopback.test(parsed.hostname)
      ? { _tag: "remote", url, shown, protocols: ["http"] }
      : { _tag: "refused", reason: "http is only taken from this host; use https" }
  }
  return {
    _tag: "refused",
    reason: "only https is spoken; clone it yourself, and seed from the clone"
  }
}

type Remote = Extract<SourceUrl, { readonly _tag: "remote" }>

const origin = "origin"

/** Maximum wait for another fetch of the same repository. */
const lockTimeoutMs = 30 * 60_000

/**
 * Fetches the commit of a remote repository's ref into the cache, unless the cache has it: one bare repository for each URL and
 * depth. Asks the server for the ref every time, and for a full commit id only if the commit is missing. `ref` of the result is the
 * branch whose tip is the commit, as `refs/heads/main`.
 */
export const fetchCommit = (
  remote: Remote,
  ref: string | undefined,
  options: { readonly history: History; readonly cacheDir: string; readonly namespaces: boolean }
) =>
  Effect.gen(function*() {
    const name = createHash("sha256").update(`${options.history}\0${remote.url}`).digest("hex").slice(0, 40)
    const parent = repositoriesOf(options.cacheDir)
    const directory = path.join(parent, `${name}.git`)
    yield* ensureFolder(parent)
    return yield* withLock(lockOf(directory), { timeoutMs: lockTimeoutMs })(
      fetchInto(directory, remote, ref, options)
    ).pipe(
      Effect.catchTag("LockTimeout", (cause) => new StateDirectoryUnusable({ path: directory, detail: cause.message }))
    )
  }).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))

const fetchInto = (
  directory: string,
  remote: Remote,
  ref: string | undefined,
  options: { readonly history: History; readonly namespaces: boolean }
) =>
  Effect.gen(function*() {
    yield* clearRepository(directory)
    for (const folder of ["objects/info", "objects/pack", "refs"]) yield* ensureFolder(path.join(directory, folder))
    yield* writeFile(path.join(directory, "HEAD"), "ref: refs/heads/none\n")
    yield* writeFile(path.join(directory, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n")
    const room: GitRoom = { gitDir: directory, sees: [], namespaces: options.namespaces }
    const online: GitOptions = { protocols: remote.protocols, secrets: { "remote.origin.url": remote.url } }
    const kept = (commit: string) => `refs/pyro/${options.history}/${commit}`
    if (ref !== undefined && isObjectId(ref) && resolveRef(directory, kept(ref)) !== undefined) {
      yield* markUsed(directory)
      return { directory, commit: ref, ref: undefined }
    }
    const found = yield* ask(room, online, ref, remote)
    if (resolveRef(directory, kept(found.id)) === undefined) {
      const refspecs = [
        `+${found.id}:${kept(found.id)}`,
        ...(options.history === "full"
          ? ["+refs/heads/*:refs/remotes/origin/*", "+refs/tags/*:refs/tags/*"]
          : [])
      ]
      const fetchAt = (depth: ReadonlyArray<string>) =>
        git(room, [
          ...["fetch", "-q", "--no-tags", "--no-write-fetch-head", "--no-recurse-submodules", "--no-auto-maintenance"],
          ...depth,
          ...[origin, ...refspecs]
        ] as [string, ...Array<string>], { ...online, isLong: true })
      yield* (options.history === "full" ? fetchAt([]) : Effect.catchIf(
        fetchAt(["--depth=1"]),
        // A server that only serves files cannot limit the depth.
        (failure) => failure._tag === "GitFailed" && failure.detail.includes("shallow"),
        () => fetchAt([])
      ))
    }
    yield* markUsed(directory)
    const peeled = yield* git(room, ["rev-parse", "--verify", "-q", `${found.id}^{commit}`])
    return { directory, commit: peeled.toString().trim(), ref: found.ref }
  }).pipe(Effect.mapError((failure) =>
    failure instanceof GitFailed
      ? new SeedRejected({ path: remote.shown, detail: withoutSecrets(failure.message, remote) })
      : failure
  ))

/** An eviction removes the least recently used repositories first. */
const markUsed = (directory: string) => Effect.flatMap(nowMs, (ms) => setTimes(directory, ms / 1000))

/** A part of a URL as it stands there, and as its characters. */
const forms = (part: string) => {
  try {
    return [part, decodeURIComponent(part)]
  } catch {
    return [part]
  }
}

/** Bytes of the shortest user name that may be a token, as `https://TOKEN@host`. A shorter one stays in other words of a message. */
const MIN_TOKEN = 8

const withoutSecrets = (text: string, remote: Remote) => {
  const { password, username } = new URL(remote.url)
  const user = password !== "" || username.length >= MIN_TOKEN ? username : ""
  return [remote.url, ...forms(password), ...forms(user)]
    .filter((secret) => secret !== "").reduce((said, secret) => said.replaceAll(secret, "***"), text)
    .replace(/([a-z]:\/\/)[^\s/@']*@/g, "$1***@")
}

/** Asks the server which commit or tag a ref is. */
const ask = (room: GitRoom, online: GitOptions, ref: string | undefined, remote: Remote) =>
  Effect.gen(function*() {
    if (ref !== undefined && isObjectId(ref)) return { id: ref, ref: undefined }
    const names = refNames(ref)
    if (names === undefined) return yield* noSuchRef(remote, ref)
    const said = yield* git(
      room,
      ["ls-remote", "-q", "--symref", origin, ...names],
      { ...online, maxOutputBytes: 16 * 1024 * 1024 }
    )
    const lines = said.toString().split("\n").map((line) => line.split("\t"))
    const ids = new Map(
      lines.flatMap(([id, name]) =>
        id !== undefined && name !== undefined && isObjectId(id) ? [[name, id] as const] : []
      )
    )
    const name = names.find((candidate) => ids.has(candidate))
    if (name === undefined) return yield* noSuchRef(remote, ref)
    const symbolic = lines.find(([what, of]) => of === name && what?.startsWith("ref: ") === true)?.[0]?.slice(5)
    const branch = symbolic ?? name
    return { id: ids.get(name)!, ref: isRefName(branch) && branch.startsWith("refs/heads/") ? branch : undefined }
  })

/** Possible full names of a ref, the likeliest first. `undefined` for an invalid ref. */
export const refNames = (ref: string | undefined): ReadonlyArray<string> | undefined => {
  if (ref === undefined || ref === "HEAD") return ["HEAD"]
  if (ref.startsWith("refs/")) return isRefName(ref) ? [ref] : undefined
  return isRefName(`refs/heads/${ref}`) ? [`refs/heads/${ref}`, `refs/tags/${ref}`] : undefined
}

export const noSuchRef = (remote: { readonly shown: string }, ref: string | undefined) =>
  new SeedRejected({
    path: remote.shown,
    detail: ref === undefined ? "it has no commit to start from" : `it has no branch or tag "${ref}"`
  })
