import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { installClients, registryClients } from "../support/network/registry-clients.ts"
import { ownDownloads } from "../support/own-cache.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

// Real clients and the real registries: the host needs the internet, and a guest trusts what the host trusts.

const ENVIRONMENT = "registry-clients"
const { folder, remove } = temporaryFolder("pyro-clients-cache-")
const pyro = installation("pyro-clients-cache-", { env: { PYRO_CACHE_DIR: ownDownloads(folder) } })

const LISTS = ["npm", "pypi", "crates", "go", "maven"].flatMap((list) => ["--allow-host", list])

beforeAll(async () => {
  const { code, stderr } = await pyro.call(
    ["env", "build", ENVIRONMENT, "--from", "debian:13-build", "--packages", "cargo,golang-go,maven"]
  )
  assert.strictEqual(code, 0, stderr)
  const make = async (name: string) => {
    await pyro.create([
      ...[
        ENVIRONMENT,
        "--name",
        name,
        "--mem-mib",
        "2048",
        "--disk-mib",
        "4096",
        "--trust-host-certificates",
        ...LISTS
      ],
      ...(name === "without" ? ["--no-package-cache"] : [])
    ])
    await pyro.sh(name, installClients)
  }
  // One workspace without the cache, one that fills the cache, and one that uses what the other has filled.
  await Promise.all([make("without"), make("first")])
  await make("second")
})
afterAll(async () => {
  await pyro.json(["workspace", "delete", "--all"])
  await pyro.json(["env", "rm", ENVIRONMENT])
  await pyro.close()
  remove()
})

interface Entry {
  readonly host: string
  readonly outcome: string
  readonly bytes_in: number
  readonly cached_bytes?: number
}

const seen = new Map<string, number>()

/** Connections of a workspace since the last call. */
const connectionsOf = async (name: string) => {
  const { entries } = await pyro.json<{ readonly entries: ReadonlyArray<Entry> }>(
    ["workspace", "network", "log", name, "--limit", "1000"]
  )
  const added = entries.slice(seen.get(name) ?? 0)
  seen.set(name, entries.length)
  return added
}

/** A mirror of crates.io in the network's own proxy names other hosts for the files of crates, which have no cache. */
const hasPublicCrates = async () => {
  const { dl } = (await (await fetch("https://index.crates.io/config.json")).json()) as { readonly dl: string }
  return dl.startsWith("https://static.crates.io/")
}

describe("clients with the package cache", () => {
  for (const { cached, install, lock, name: client, project } of registryClients) {
    it(`${client} writes the same lock file, and ${cached.length === 0 ? "goes past the cache" : "installs from the cache"}`, async () => {
      const run = async (name: string) => {
        await connectionsOf(name)
        const output = await pyro.sh(
          name,
          `export npm_config_update_notifier=false; mkdir "/workspace/${client}"; cd "/workspace/${client}"; ${project}; (${install}) >&2; sha256sum ${lock}`
        )
        const connections = await connectionsOf(name)
        assert.isAbove(connections.length, 0)
        assert.isTrue(connections.every(({ outcome }) => outcome === "allowed"), JSON.stringify(connections))
        const fromCache = connections.filter(({ cached_bytes = 0 }) => cached_bytes > 0).map(({ host }) => host)
        return { lock: output.split("\n").at(-1), fromCache }
      }
      const [without, first] = await Promise.all([run("without"), run("first")])
      const second = await run("second")
      assert.deepStrictEqual([first.lock, second.lock], [without.lock, without.lock])
      assert.deepStrictEqual(without.fromCache, [])
      if (cached.length === 0) assert.deepStrictEqual(second.fromCache, [])
      else if (client !== "cargo" || await hasPublicCrates()) assert.includeMembers(second.fromCache, [...cached])
    })
  }
})
