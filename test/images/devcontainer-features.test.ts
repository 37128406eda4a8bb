import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { writeTree } from "../support/files/write-tree.ts"
import { installation, smallSizes } from "../support/installation.ts"
import { featureOf, imageOf } from "../support/oci/image.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { shellRoot } from "../support/oci/shell.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-features-test-")
let registry: TestRegistry
let features: TestRegistry
let pyro: ReturnType<typeof installation>

beforeAll(async () => {
  const label = JSON.stringify([{ remoteUser: "vscode", postCreateCommand: "echo of the image > /tmp/order" }])
  registry = await startRegistry({
    "base:1": imageOf([shellRoot()], { Env: ["PATH=/bin"], Labels: { "devcontainer.metadata": label } }),
    "features/last:1": featureOf({ id: "last", installsAfter: ["other"] }, note("last")),
    "features/needed:1": featureOf({ id: "needed", options: { word: { default: "x" } } }, note("needed $WORD"))
  })
  features = await startRegistry({
    "features/other:2": featureOf(
      {
        id: "other",
        options: { version: { type: "string", default: "9" } },
        dependsOn: { [`${registry.host}/features/needed:1`]: { word: "so" } },
        postCreateCommand: "echo of a feature >> /tmp/order"
      },
      note("other $VERSION")
    )
  })
  pyro = installation("pyro-features-")
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  await features.close()
  remove()
})

/** An install script that says when it ran. */
const note = (text: string) => `#!/bin/sh\necho "${text}" >> /order\n`

describe("features of a dev container", () => {
  it("are fetched from registries with those that they need, and installed in their order", async () => {
    const directory = writeTree(path.join(folder, "featured"), {
      ".devcontainer.json": JSON.stringify({
        image: `${registry.host}/base:1`,
        features: { [`${registry.host}/features/last:1`]: {}, [`${features.host}/features/other:2`]: "2" }
      })
    })
    const allowed = [registry, features].flatMap(({ host }) => ["--allow-registry", host])
    const words = ["create", ...smallSizes, "--devcontainer", directory, "--name", "featured", ...allowed]
    const created = await pyro.call(words)
    assert.strictEqual(created.code, 0, created.stderr)
    assert.strictEqual(
      await pyro.sh("featured", "cat /order /tmp/order; id -u"),
      "needed so\nother 2\nlast\nof the image\nof a feature\n1000"
    )
  })
})
