import * as fs from "node:fs"
import * as path from "node:path"
import { installation } from "../installation.ts"
import { sharedCache } from "../own-cache.ts"
import { temporaryFolder } from "../pyro-cli.ts"

/** An environment as `env list` has it. */
export interface Listed {
  readonly name: string
  readonly origin: string
  readonly state: string
  readonly digest?: string
  readonly from?: string
  readonly added_packages?: ReadonlyArray<string>
}

export const base = "debian:12-base"
export const TOOLS = ["figlet", "htop", "tree", "vim-tiny"]

/** An installation with a cache of its own, for tests that remove environments. What was downloaded is there already. */
export const ownEnvironments = (prefix: string) => {
  const { folder, remove } = temporaryFolder(`${prefix}cache-`)
  const cache = path.join(folder, "cache")
  fs.mkdirSync(cache, { mode: 0o700 })
  for (const part of ["kernels", "packages"]) {
    const from = path.join(sharedCache, part)
    const skipped = path.join(from, "tmp")
    if (fs.existsSync(from)) {
      fs.cpSync(from, path.join(cache, part), {
        recursive: true,
        preserveTimestamps: true,
        filter: (file) => file !== skipped
      })
    }
  }
  const pyro = installation(prefix, { env: { PYRO_CACHE_DIR: cache } })
  return {
    cache,
    pyro,
    build: (name: string, from: string, ...packages: ReadonlyArray<string>) =>
      pyro.call(["env", "build", name, "--from", from, "--packages", packages.join(",")]),
    own: async () => {
      const { environments } = await pyro.json<{ readonly environments: ReadonlyArray<Listed> }>(["env", "list"])
      return environments.filter(({ origin }) => origin === "own")
    },
    runIn: (environment: string, ...command: ReadonlyArray<string>) =>
      pyro.call(["run", environment, "--mem-mib", "256", "--", ...command]),
    /** What builds leave in the cache beside finished images. */
    leftovers: () => fs.readdirSync(path.join(cache, "environments", "tmp")).filter((entry) => entry !== ".lock"),
    close: async () => {
      await pyro.close()
      remove()
    }
  }
}
