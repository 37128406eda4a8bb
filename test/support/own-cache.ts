import * as fs from "node:fs"
import * as path from "node:path"

/** The cache that the tests have in common: the set-up has filled it. */
export const sharedCache = process.env["PYRO_CACHE_DIR"] ?? path.join(process.env["HOME"] ?? "/root", ".cache", "pyro")

/** Parts of the common cache that the set-up has filled. */
const IMAGES = ["environments", "kernels", "packages"]

/** Parts of the common cache that the first workspace makes. Whether there was one is left to chance. */
const MADE_ON_DEMAND = ["templates", "seeds"]

const cacheWith = (folder: string, names: ReadonlyArray<string>) => {
  const [from, cache] = [fs.realpathSync(sharedCache), path.join(folder, "cache")]
  fs.mkdirSync(cache, { mode: 0o700 })
  for (const name of names) {
    if (MADE_ON_DEMAND.includes(name)) fs.mkdirSync(path.join(from, name), { recursive: true, mode: 0o700 })
    fs.symlinkSync(path.join(from, name), path.join(cache, name))
  }
  return cache
}

/**
 * A cache of a test's own that has the common environments and kernels: templates that this test's killed processes leave half made are
 * not met by others, nor theirs by this test. `templates: "common"` begins with those that others have finished, which saves the boots.
 */
export const ownCache = (folder: string, { templates }: { readonly templates?: "common" } = {}): string => {
  const cache = cacheWith(folder, IMAGES)
  if (templates === "common") linkTemplates(cache)
  return cache
}

/** The common cache with downloads of a test's own: packages of the test's registries are met by nobody else. */
export const ownDownloads = (folder: string): string => cacheWith(folder, [...IMAGES, ...MADE_ON_DEMAND])

/** Folders of what is being made, and comes and goes. */
const MAKING = new Set(["tmp", "temporary"])

const linkTree = (from: string, to: string) => {
  fs.mkdirSync(to, { recursive: true, mode: 0o700 })
  for (const entry of fs.readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)]
    try {
      if (!entry.isDirectory()) fs.linkSync(source, target)
      else if (!MAKING.has(entry.name)) linkTree(source, target)
    } catch (cause) {
      // Another test has removed the file meanwhile, or a daemon has made it in the target.
      if (!["ENOENT", "EEXIST"].includes((cause as NodeJS.ErrnoException).code ?? "")) throw cause
    }
  }
}

/** Finished templates, which nothing ever writes, under names of the test's own. */
const linkTemplates = (cache: string) => {
  const [from, to] = [path.join(sharedCache, "templates"), path.join(cache, "templates")]
  fs.mkdirSync(to, { recursive: true, mode: 0o700 })
  for (const name of fs.existsSync(from) ? fs.readdirSync(from) : []) {
    if (/^[0-9a-f]{32}$/.test(name)) linkTree(path.join(from, name), path.join(to, name))
  }
}

/** Removes all that is in a cache, also while a daemon makes something there. */
export const emptyCache = (cache: string) => {
  for (const name of fs.readdirSync(cache)) {
    fs.rmSync(path.join(cache, name), { recursive: true, force: true, maxRetries: 50, retryDelay: 20 })
  }
}

/** The images and templates of the common cache under names of the test's own, which may be removed or replaced. Nothing in them is ever written. */
export const linkCache = (cache: string) => {
  fs.mkdirSync(cache, { recursive: true, mode: 0o700 })
  for (const part of ["environments", "kernels", "seeds"]) {
    const from = path.join(sharedCache, part)
    if (fs.existsSync(from) || !MADE_ON_DEMAND.includes(part)) linkTree(from, path.join(cache, part))
  }
  linkTemplates(cache)
}
