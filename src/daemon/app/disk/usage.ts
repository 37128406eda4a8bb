import { Effect } from "effect"
import { stepEntries } from "../../../building/steps.ts"
import { cacheUsers, type DiskUsage, diskUsers } from "../../../contract/rows/disk-usage.ts"
import { SeedImages } from "../../../lib/disk/SeedImages.ts"
import { repositoryEntries } from "../../../lib/seeding/model/cache.ts"
import { templateEntries } from "../../../lib/vm/model/templates.ts"
import { namesIn, removeFile, statFile } from "../../../system/files/entries.ts"
import { attempt, toHostError } from "../../../system/files/failure.ts"
import { Paths } from "../../../system/files/Paths.ts"
import { removeTree } from "../../../system/files/remove-tree.ts"
import { bytesBeneath, type CacheEntry, freeMib, UsageCounter } from "../../../system/files/usage.ts"
import { setting } from "../../../system/settings/config.ts"
import { isWorkspaceId, workspacesDirectory } from "../../../workspace/entry/record.ts"
import { downloadsFolder } from "../../../workspace/residents/package-cache/package-cache.ts"

/** Downloads of builds of environments, as one entry. */
const packageEntries = (cacheDir: string) => {
  const folder = `${cacheDir}/packages`
  return Effect.map(
    Effect.mapError(statFile(folder), toHostError),
    (stat): ReadonlyArray<CacheEntry> =>
      stat === undefined ? [] : [{
        kind: "packages",
        name: "packages",
        bytes: bytesBeneath(folder),
        usedMs: stat.mtimeMs,
        remove: removeTree(folder)
      }]
  )
}

/** Files of the package cache. Each has the time of its last use. */
const downloadEntries = (cacheDir: string) => {
  const folder = downloadsFolder(cacheDir)
  const files = namesIn(folder).filter((name) => /^[0-9a-f]{2}$/.test(name)).flatMap((name) =>
    namesIn(`${folder}/${name}`).map((file) => ({ file, path: `${folder}/${name}/${file}` }))
  )
  return Effect.forEach(files, ({ file, path }) =>
    Effect.map(
      Effect.mapError(statFile(path), toHostError),
      (stat): ReadonlyArray<CacheEntry> =>
        stat === undefined ? [] : [{
          kind: "download",
          name: file.slice(0, 12),
          bytes: bytesBeneath(path),
          usedMs: stat.mtimeMs,
          remove: removeFile(path)
        }]
    )).pipe(Effect.map((all) => all.flat()))
}

/**
 * Entries of the cache that an eviction may take. Environments and kernels stay: a host without a network could not make them again.
 */
export const cacheEntries = Effect.gen(function*() {
  const { cacheDir } = yield* Paths
  const seeds = yield* (yield* SeedImages).entries
  return [
    ...seeds,
    ...yield* templateEntries,
    ...yield* repositoryEntries(cacheDir),
    ...yield* packageEntries(cacheDir),
    ...yield* downloadEntries(cacheDir),
    ...yield* stepEntries
  ]
})

type User = (typeof diskUsers)[number]

const partOf = (name: string): User =>
  name === "snapshots" || name === "logs" ? name : name === "points" ? "snapshots" : "workspaces"

/** Bytes by user and by workspace. Images of the cache count for the cache, and not for the workspaces that link them. */
const countAll = ({ cacheDir, stateDir }: Paths["Service"]) => {
  const counter = new UsageCounter()
  const uses = new Map<User, number>()
  const add = (user: User, folder: string) => {
    const bytes = counter.count(folder)
    uses.set(user, (uses.get(user) ?? 0) + bytes)
    return bytes
  }
  for (const name of cacheUsers) add(name, `${cacheDir}/${name}`)
  add("environments", `${stateDir}/environments`)
  const all = workspacesDirectory(stateDir)
  const workspaces = namesIn(all).filter(isWorkspaceId).map((workspace) => ({
    workspace,
    bytes: namesIn(`${all}/${workspace}`).reduce(
      (sum, name) => sum + add(partOf(name), `${all}/${workspace}/${name}`),
      0
    )
  }))
  add("snapshots", `${stateDir}/saved`)
  add("vms", `${stateDir}/vms`)
  add("logs", `${stateDir}/daemon`)
  add("other", stateDir)
  if (!cacheDir.startsWith(`${stateDir}/`)) add("other", cacheDir)
  return { uses, workspaces }
}

const mib = 1024 * 1024

/** The use of the host's disk. Reads the names and sizes of all files of pyro. */
export const diskUsage = Effect.gen(function*() {
  const paths = yield* Paths
  const budgetMib = yield* setting("PYRO_DISK_BUDGET_MIB")
  const { uses, workspaces } = yield* attempt("scandir", paths.stateDir, () => countAll(paths))
  const entries = yield* cacheEntries
  const usage: DiskUsage = {
    usedBytes: [...uses.values()].reduce((sum, bytes) => sum + bytes, 0),
    evictableBytes: entries.reduce((sum, { bytes }) => sum + bytes, 0),
    ...(budgetMib === 0 ? {} : { budgetBytes: budgetMib * mib }),
    freeBytes: (yield* freeMib(paths.stateDir)) * mib,
    uses: diskUsers.flatMap((what) => {
      const bytes = uses.get(what) ?? 0
      return bytes === 0 ? [] : [{ what, bytes }]
    }),
    workspaces: workspaces.sort((one, other) => other.bytes - one.bytes)
  }
  return usage
}).pipe(Effect.catchTag("FileFailed", (failure) => Effect.fail(toHostError(failure))))
