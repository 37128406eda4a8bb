import * as fs from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"
import { networkHost } from "../support/network/host.ts"
import { debianMirror } from "../support/network/mirrors/debian.ts"
import { installNode, trustMirrors } from "../support/network/mirrors/guest-node.ts"
import { npmMirror } from "../support/network/mirrors/npm.ts"
import { makeProjects } from "../support/network/mirrors/projects.ts"
import { pypiMirror } from "../support/network/mirrors/pypi.ts"
import { pythonWheels } from "../support/network/mirrors/python-wheels.ts"
import { type Served, serveMirrors } from "../support/network/mirrors/serve.ts"
import { newHosts } from "../support/network/new-hosts.ts"
import { ownDownloads } from "../support/own-cache.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

// Real projects install their dependencies from local mirrors, in a guest that trusts the mirrors as a company's proxy is trusted.

const { folder, remove } = temporaryFolder("pyro-dependencies-")
let served: Served
let host: Awaited<ReturnType<typeof networkHost>>
let pyro: Installation
let hosts: ReturnType<typeof newHosts>
beforeAll(async () => {
  const project = join(folder, "project")
  const { npmPackages } = await makeProjects(project)
  const wheels = await pythonWheels(
    [
      "attrs",
      "flake8",
      "iniconfig",
      "mccabe",
      "packaging",
      "pip",
      "pluggy",
      "pycodestyle",
      "pyflakes",
      "pytest",
      "setuptools",
      "wheel"
    ]
  )
  served = await serveMirrors([npmMirror(npmPackages), pypiMirror(wheels), debianMirror()])
  fs.writeFileSync(join(project, "company.crt"), served.certificate)
  host = await networkHost(undefined, served)
  // The cache of packages trusts what the host trusts, and a test's registries fill no cache of others.
  pyro = installation("pyro-dependencies-", {
    enter: host.enter,
    env: { PYRO_CACHE_DIR: ownDownloads(folder), SSL_CERT_FILE: served.trustFile }
  })
  await pyro.json(["workspace", "create", "--name", "a", "--seed-path", project, "--allow-host", "npm"])
  hosts = newHosts(pyro, "a")
  await pyro.sh("a", trustMirrors)
})
afterAll(async () => {
  await pyro.close()
  await host.close()
  await served.close()
  remove()
})

const allow = (list: string) => pyro.json(["workspace", "network", "set", "a", "--allow-host", list])
const reach = (url: string) => pyro.sh("a", `curl -sS ${url} 2>&1 || true`)

describe("dependencies of real projects", () => {
  it("npm ci and npm test run in an npm project, with the registry alone", async () => {
    await pyro.sh("a", installNode)
    const printed = await pyro.sh("a", "cd npm && npm ci && npm test")
    assert.match(printed, /added 5 packages/)
    assert.match(printed, /# pass +24\b/)
    assert.match(await reach("https://pypi.org/simple/"), /Could not resolve host/)
    assert.deepStrictEqual(await hosts(), { allowed: ["registry.npmjs.org"], denied: ["pypi.org"], failed: [] })
  })

  it("pip install of an editable project with its extras and pytest run, with PyPI alone", async () => {
    await allow("pypi")
    const index = await pyro.sh("a", "curl -sSf https://pypi.org/simple/pip/")
    const [, wheel = ""] = /href="([^"#]+)/.exec(index) ?? []
    const printed = await pyro.sh(
      "a",
      `curl -sSf -o /tmp/pip-23.0.1-py3-none-any.whl ${wheel}
cd python
export PIP_CERT=/etc/ssl/certs/ca-certificates.crt PIP_ROOT_USER_ACTION=ignore PIP_BREAK_SYSTEM_PACKAGES=1
python3 /tmp/pip-23.0.1-py3-none-any.whl/pip install -e '.[dev]'
python3 -m pytest -q pylib`
    )
    assert.match(printed, /Successfully installed .*gyp-next-0\.14\.0/)
    assert.match(printed, /\d+ passed/)
    assert.match(await reach("https://registry.npmjs.org/"), /Could not resolve host/)
    const { allowed, denied } = await hosts()
    assert.deepStrictEqual(allowed, ["files.pythonhosted.org", "pypi.org"])
    assert.deepStrictEqual(denied, ["registry.npmjs.org"])
  })

  it("apt-get installs a package of the signed archive, with Debian alone", async () => {
    await allow("debian")
    await pyro.sh(
      "a",
      `sed -i '/bookworm-security/d; s,http[^ ]*,http://deb.debian.org/debian,' /etc/apt/sources.list
apt-get update && apt-get install -y hello`
    )
    assert.strictEqual(await pyro.sh("a", "hello"), "Hello, world!")
    assert.match(await reach("https://pypi.org/simple/"), /Could not resolve host/)
    assert.deepStrictEqual(await hosts(), { allowed: ["deb.debian.org"], denied: ["pypi.org"], failed: [] })
  })
})
