import * as fs from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"
import { networkHost } from "../support/network/host.ts"
import { installNode, trustMirrors } from "../support/network/mirrors/guest-node.ts"
import { npmMirror } from "../support/network/mirrors/npm.ts"
import { packedIn } from "../support/network/mirrors/packed.ts"
import { makeProjects } from "../support/network/mirrors/projects.ts"
import { type Served, serveMirrors } from "../support/network/mirrors/serve.ts"
import { ownDownloads } from "../support/own-cache.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

/** What a hostile or a careless package does after its installation: it removes its neighbours, and breaks Node and the shell's tools. */
const POSTINSTALL = `const fs = require("node:fs")
for (const name of fs.readdirSync("..")) if (name !== "fine") fs.rmSync("../" + name, { recursive: true })
fs.rmSync("/usr/local/bin/node")
fs.writeFileSync("/usr/local/bin/node", "#!/bin/sh\\nexit 1\\n", { mode: 0o755 })
fs.rmSync("/usr/bin/env")
`

const { folder, remove } = temporaryFolder("pyro-rewind-install-")
let served: Served
let host: Awaited<ReturnType<typeof networkHost>>
let pyro: Installation
beforeAll(async () => {
  const project = join(folder, "project")
  const { npmPackages } = await makeProjects(project)
  const bad = packedIn(
    folder,
    { name: "fine", version: "1.0.0", scripts: { postinstall: "node postinstall.js" } },
    { "postinstall.js": POSTINSTALL }
  )
  const good = packedIn(folder, { name: "fine", version: "1.0.1" }, { "index.js": "module.exports = 'fine'\n" })
  served = await serveMirrors([npmMirror([...npmPackages, bad, good])])
  fs.writeFileSync(join(project, "npm", "company.crt"), served.certificate)
  host = await networkHost(undefined, served)
  pyro = installation("pyro-rewind-install-", {
    enter: host.enter,
    env: {
      PYRO_CACHE_DIR: ownDownloads(folder),
      SSL_CERT_FILE: served.trustFile,
      PYRO_REWIND_MIB: "2048",
      PYRO_REWIND_EVERY_MS: "0"
    }
  })
  const create = ["create", "--name", "w", "--seed-path", join(project, "npm"), "--allow-host", "npm"]
  await pyro.json(create)
  await pyro.sh("w", `${trustMirrors}\n${installNode}`)
  await pyro.sh("w", "npm ci")
})
afterAll(async () => {
  await pyro.close()
  await host.close()
  await served.close()
  remove()
})

const run = async (script: string) => {
  const { code, stdout } = await pyro.call(["exec", "w", "--json", "--", "bash", "-c", script])
  const { exec_id } = JSON.parse(stdout.toString()) as { readonly exec_id: string }
  return { code, exec_id }
}

describe("a package whose installation breaks the project and the guest", { concurrent: false }, () => {
  it("a rewind to before npm install brings back node_modules, the manifest and the programs of the guest", async () => {
    assert.match(await pyro.sh("w", "npm test"), /# pass +24\b/)
    const manifest = await pyro.sh("w", "cat package.json package-lock.json")
    const modules = await pyro.sh("w", "ls node_modules")

    const { exec_id: before } = await run("npm install fine@1.0.0")
    assert.notStrictEqual((await run("npm test")).code, 0)
    // As somebody repairs: it gets worse.
    await run("rm -rf node_modules package-lock.json; npm install")
    assert.notStrictEqual((await run("npm test")).code, 0)

    const { undone } = await pyro.json<{ readonly undone: ReadonlyArray<{ readonly exec_id: string }> }>(
      ["rewind", "w", "--before", before]
    )
    assert.lengthOf(undone, 4)
    assert.strictEqual(undone[0]!.exec_id, before)
    assert.match(await pyro.sh("w", "npm test"), /# pass +24\b/)
    assert.strictEqual(await pyro.sh("w", "cat package.json package-lock.json"), manifest)
    assert.strictEqual(await pyro.sh("w", "ls node_modules; ls /usr/bin/env"), `${modules}\n/usr/bin/env`)
  })

  it("npm installs the next version of the package after the rewind", async () => {
    await pyro.sh("w", "npm install fine@1.0.1")
    assert.strictEqual(await pyro.sh("w", "node -p 'require(\"fine\")'"), "fine")
    assert.match(await pyro.sh("w", "npm test"), /# pass +24\b/)
  })
})
