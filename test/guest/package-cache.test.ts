import { execFileSync } from "node:child_process"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"
import { networkHost } from "../support/network/host.ts"
import { type Mirror, notFound, sendFile } from "../support/network/mirrors/mirror.ts"
import { npmMirror } from "../support/network/mirrors/npm.ts"
import { packedIn } from "../support/network/mirrors/packed.ts"
import { pypiMirror } from "../support/network/mirrors/pypi.ts"
import { pythonWheels } from "../support/network/mirrors/python-wheels.ts"
import { type Served, serveMirrors } from "../support/network/mirrors/serve.ts"
import { ownDownloads } from "../support/own-cache.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-package-cache-")

const debian = (file: string): Mirror => ({
  hosts: ["deb.debian.org"],
  answer: async (request, response) =>
    request.url === "/debian/pool/main/p/pad/pad_1.0_all.deb"
      ? sendFile(request, response, file, {})
      : notFound(response)
})

let served: Served
let host: Awaited<ReturnType<typeof networkHost>>
let pyro: Installation
beforeAll(async () => {
  const pad = packedIn(folder, { name: "pad", version: "1.0.0" })
  served = await serveMirrors([
    npmMirror([pad]),
    pypiMirror(await pythonWheels(["iniconfig"])),
    debian(pad.file)
  ])
  host = await networkHost(undefined, served)
  pyro = installation("pyro-package-cache-", {
    enter: host.enter,
    env: { PYRO_CACHE_DIR: ownDownloads(folder), SSL_CERT_FILE: served.trustFile }
  })
})
afterAll(async () => {
  await pyro.close()
  await host.close()
  await served.close()
  remove()
})

const create = (name: string, ...options: ReadonlyArray<string>) =>
  pyro.create(["--name", name, "--allow-host", "npm", "--allow-host", "pypi", "--allow-host", "debian", ...options])

/** Gets one package of each registry by the settings of its client. */
const INSTALL = `set -e
registry=$(sed -n s/^registry=//p /usr/local/etc/npmrc)
curl -sSf -o document.json \${registry}pad
grep -o 'https://registry.npmjs.org[^"]*' document.json
curl -sSf -o pad.tgz \${registry}pad/-/pad-1.0.0.tgz
curl -sSf -o page.html "$(sed -n 's/^index-url = //p' /etc/pip.conf)/iniconfig/"
curl -sSf -o iniconfig.whl "$(grep -o 'http://files[^#"]*' page.html)"
curl -sSf -o pad.deb http://deb.debian.org/debian/pool/main/p/pad/pad_1.0_all.deb
sha256sum pad.tgz iniconfig.whl pad.deb`

interface Entry {
  readonly host: string
  readonly outcome: string
  readonly address?: string
  readonly bytes_in: number
  readonly cached_bytes?: number
}
const logOf = async (name: string) =>
  (await pyro.json<{ readonly entries: ReadonlyArray<Entry> }>(["workspace", "network", "log", name])).entries

const HOSTS = ["deb.debian.org", "files.pythonhosted.org", "pypi.org", "registry.npmjs.org"]
const hostsOf = (entries: ReadonlyArray<Entry>) => [...new Set(entries.map((one) => one.host))].sort()

describe("the package cache", { concurrent: false }, () => {
  it("a second workspace installs while the host has no network", async () => {
    await create("a")
    const printed = await pyro.sh("a", INSTALL)
    assert.include(printed, "https://registry.npmjs.org/pad/-/pad-1.0.0.tgz")
    const fetched = await logOf("a")
    assert.deepStrictEqual(hostsOf(fetched), HOSTS)
    assert.isTrue(fetched.every(({ outcome }) => outcome === "allowed"))
    assert.deepStrictEqual(hostsOf(fetched.filter(({ address }) => address === "203.0.113.11")), HOSTS)
    await create("b")
    const [enter, ...words] = host.enter
    execFileSync(enter!, [...words, "ip", "link", "set", "wan", "down"])
    const before = served.requests.length
    try {
      assert.strictEqual(await pyro.sh("b", INSTALL), printed)
    } finally {
      execFileSync(enter!, [...words, "ip", "link", "set", "wan", "up"])
      execFileSync(enter!, [...words, "ip", "route", "add", "default", "via", "198.51.100.1"])
    }
    assert.lengthOf(served.requests, before)
    const cached = await logOf("b")
    assert.deepStrictEqual(hostsOf(cached), HOSTS)
    assert.isTrue(cached.every((one) => one.address === undefined && one.bytes_in === one.cached_bytes))
  })

  it("a policy without a registry takes its settings away, and other lines of the files stay", async () => {
    await pyro.sh("b", "echo cafile=/etc/own.crt >> /usr/local/etc/npmrc")
    await pyro.json(["workspace", "network", "set", "b", "--allow-host", "pypi"])
    assert.strictEqual(await pyro.sh("b", "cat /etc/npmrc /usr/local/etc/npmrc"), "cafile=/etc/own.crt")
    assert.include(await pyro.sh("b", "cat /etc/pip.conf"), "pypi.packages.pyro.internal")
    assert.include(
      await pyro.sh("b", "curl -sS http://npm.packages.pyro.internal/pad 2>&1 || true"),
      "Could not resolve host"
    )
  })

  it("--no-package-cache leaves clients alone and asks the registry each time", async () => {
    await create("c", "--no-package-cache")
    const before = served.requests.length
    await pyro.sh("c", "test ! -e /etc/npmrc && test ! -e /etc/pip.conf && test ! -e /root/.yarnrc.yml")
    await pyro.sh("c", "curl -sSf -o /dev/null http://deb.debian.org/debian/pool/main/p/pad/pad_1.0_all.deb")
    assert.lengthOf(served.requests, before + 1)
  })
})
