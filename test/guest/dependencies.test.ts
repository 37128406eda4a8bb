import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"
import { networkHost } from "../support/network/host.ts"
import { debianMirror } from "../support/network/mirrors/debian.ts"
import { type Served, serveMirrors } from "../support/network/mirrors/serve.ts"
import { newHosts } from "../support/network/new-hosts.ts"

// The smallest of Debian's signed indices. test/projects/dependencies.test.ts installs from all registries, which takes minutes.

let served: Served
let host: Awaited<ReturnType<typeof networkHost>>
let pyro: Installation
beforeAll(async () => {
  served = await serveMirrors([debianMirror()])
  host = await networkHost(undefined, served)
  pyro = installation("pyro-dependencies-", { enter: host.enter })
})
afterAll(async () => {
  await pyro.close()
  await host.close()
  await served.close()
})

describe("a workspace that may reach Debian", () => {
  it("apt-get update and install work against the signed archive, and no other host is reachable", async () => {
    await pyro.create(["--name", "a", "--allow-host", "debian"])
    const hosts = newHosts(pyro, "a")
    await pyro.sh(
      "a",
      `sed -i 's,http[^ ]*.*,http://deb.debian.org/debian bookworm non-free,' /etc/apt/sources.list
apt-get update && apt-get install -y unrar`
    )
    assert.match(await pyro.sh("a", "unrar"), /UNRAR/)
    assert.match(await pyro.sh("a", "curl -sS https://pypi.org/ 2>&1 || true"), /Could not resolve host/)
    assert.deepStrictEqual(await hosts(), { allowed: ["deb.debian.org"], denied: ["pypi.org"], failed: [] })
  })
})
