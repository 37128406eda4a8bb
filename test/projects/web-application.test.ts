import * as fs from "node:fs"
import { join } from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { type Installation, installation } from "../support/installation.ts"
import { networkHost } from "../support/network/host.ts"
import { installNode, trustMirrors } from "../support/network/mirrors/guest-node.ts"
import { npmMirror } from "../support/network/mirrors/npm.ts"
import { makeWebApplication } from "../support/network/mirrors/projects.ts"
import { type Served, serveMirrors } from "../support/network/mirrors/serve.ts"
import { ownDownloads } from "../support/own-cache.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"
import { openChromium } from "../support/web/chromium.ts"

// docs/use-cases/web-application.md, step by step.

interface Service {
  readonly state: string
  readonly ports: ReadonlyArray<{ readonly guest_port: number; readonly host_port: number }>
}

const { folder, remove } = temporaryFolder("pyro-web-application-")
let served: Served
let host: Awaited<ReturnType<typeof networkHost>>
let pyro: Installation
let chromium: ReturnType<typeof openChromium>
beforeAll(async () => {
  const project = join(folder, "project")
  served = await serveMirrors([npmMirror(await makeWebApplication(project))])
  fs.writeFileSync(join(project, "company.crt"), served.certificate)
  host = await networkHost(undefined, served)
  pyro = installation("pyro-web-application-", {
    enter: host.enter,
    env: { PYRO_CACHE_DIR: ownDownloads(folder), SSL_CERT_FILE: served.trustFile }
  })
  await pyro.json(["workspace", "create", "--name", "web", "--seed-path", project, "--allow-host", "npm"])
  await pyro.sh("web", trustMirrors)
  await pyro.sh("web", installNode)
  chromium = openChromium(join(folder, "profile"), host.enter)
})
afterAll(async () => {
  await chromium?.close()
  await pyro.close()
  await host.close()
  await served.close()
  remove()
})

/** Address of the dev server on the host. */
const address = async (workspace: string) => {
  const { ports: [port], state } = await pyro.json<Service>(
    ["workspace", "service", "status", workspace, "dev"]
  )
  assert.strictEqual(state, "ready")
  assert.strictEqual(port?.guest_port, 5173)
  return `http://127.0.0.1:${port!.host_port}/`
}

const edit = (workspace: string, from: string, to: string) =>
  pyro.json(["workspace", "file", "edit", workspace, "greeting.js", "--old-text", from, "--new-text", to])

describe("a web application of npm in a workspace", () => {
  it("is installed from the registry alone", async () => {
    assert.match(await pyro.sh("web", "npm ci"), /added 10 packages/)
  })

  it("its dev server is a service that is ready by HTTP, and its published port shows the page in Chromium", async () => {
    await pyro.json([
      ...["workspace", "service", "start", "web", "dev", "--ready-http", "http://127.0.0.1:5173/"],
      ...["--publish", "5173", "--", "npm", "run", "dev"]
    ])
    const page = await chromium.page(await address("web"))
    await page.shows("h1", "Hello, world!")
  })

  it("an edit of a file changes the page that is open, through the WebSocket of the dev server", async () => {
    const page = await chromium.page(await address("web"))
    await page.shows("h1", "Hello, world!")
    await edit("web", "Hello", "Good morning")
    await page.shows("h1", "Good morning, world!")
  })

  it("each fork goes on with a server of its own, on a port of its own", async () => {
    await pyro.json(["workspace", "fork", "web", "--name", "try", "--count", "2"])
    const names = ["web", "try-1", "try-2"]
    const addresses = await Promise.all(names.map(address))
    assert.lengthOf(new Set(addresses), names.length)
    await edit("try-1", "Good morning", "Good evening")
    await edit("try-2", "Good morning", "Good night")
    const expected = ["Good morning", "Good evening", "Good night"]
    for (const [at, url] of addresses.entries()) {
      const page = await chromium.page(url)
      await page.shows("h1", `${expected[at]}, world!`)
    }
  })
})
