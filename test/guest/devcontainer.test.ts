import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { writeTree } from "../support/files/write-tree.ts"
import { installation, smallSizes } from "../support/installation.ts"
import { imageOf } from "../support/oci/image.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { shellRoot } from "../support/oci/shell.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-devcontainer-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>

beforeAll(async () => {
  const label = JSON.stringify([{ remoteUser: "vscode", postCreateCommand: "echo of the image > /tmp/order" }])
  registry = await startRegistry({
    "base:1": imageOf([shellRoot()], { Env: ["PATH=/bin"], Labels: { "devcontainer.metadata": label } })
  })
  pyro = installation("pyro-devcontainer-")
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  remove()
})

const project = (name: string, files: Readonly<Record<string, string>>) => writeTree(path.join(folder, name), files)

describe("a workspace of a dev container", { concurrent: false }, () => {
  it("has the image, user, variables and links that the file names, and its commands have run", async () => {
    const directory = project("shop", {
      ".devcontainer/devcontainer.json": `{
        // comments and trailing commas are allowed
        "image": "${registry.host}/base:1",
        "containerEnv": { "GREETING": "hello", "IN": "\${containerWorkspaceFolder}" },
        "remoteEnv": { "PATH": "\${containerEnv:PATH}:/extra" },
        "onCreateCommand": { "one": "echo one > one", "two": ["sh", "-c", "echo two > two"] },
        "postCreateCommand": "cat one two >> /tmp/order; echo $GREETING $PATH > /workspace/seen",
        "postStartCommand": "cat /workspaces/shop/made-before > started",
        "postAttachCommand": { "server": "touch /tmp/attached; sleep 100000" },
        "runArgs": ["--privileged"],
        "forwardPorts": [3000],
      }`,
      "made-before": "of the project\n"
    })
    const allowed = ["--allow-registry", registry.host]
    const words = [
      "create",
      ...smallSizes,
      "--devcontainer",
      directory,
      "--name",
      "shop",
      "--forward-ports",
      ...allowed
    ]
    const created = await pyro.call(words)
    assert.strictEqual(created.code, 0, created.stderr)
    const { ports } = await pyro.json<{ readonly ports: ReadonlyArray<object> }>(["status", "shop"])
    assert.propertyVal(ports[0], "guest_port", 3000)
    assert.match(created.stderr, /warning: devcontainer.json: pyro does not use runArgs/)
    assert.strictEqual(
      await pyro.sh("shop", "cat /tmp/order seen started; id -u; echo $IN; until ls /tmp/attached; do :; done"),
      [
        "of the image",
        "one",
        "two",
        "hello /bin:/extra",
        "of the project",
        "1000",
        "/workspace",
        "/tmp/attached"
      ].join("\n")
    )
  })

  it("runs the commands of every start again, and all of them after a reset", async () => {
    await pyro.sh("shop", "rm seen started /tmp/order")
    await pyro.step("stop", "shop")
    await pyro.step("start", "shop")
    assert.strictEqual(await pyro.sh("shop", "ls /workspace"), "made-before\none\nstarted\ntwo")
    await pyro.step("reset", "shop")
    assert.strictEqual(await pyro.sh("shop", "ls /workspace"), "made-before\none\nseen\nstarted\ntwo")
  })
})
