import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { writeTree } from "../support/files/write-tree.ts"
import { installation, smallSizes } from "../support/installation.ts"
import { imageOf } from "../support/oci/image.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { shellRoot } from "../support/oci/shell.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-devcontainers-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>

beforeAll(async () => {
  const label = JSON.stringify([{ remoteUser: "vscode", postCreateCommand: "echo of the image > /tmp/order" }])
  registry = await startRegistry({
    "base:1": imageOf([shellRoot()], { Env: ["PATH=/bin"], Labels: { "devcontainer.metadata": label } })
  })
  pyro = installation("pyro-devcontainers-")
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  remove()
})

/** The word of the person for the tests' own registry. */
const allowed = () => ["--allow-registry", registry.host]

const project = (name: string, files: Readonly<Record<string, string>>) => writeTree(path.join(folder, name), files)

describe("a workspace of a dev container, beyond the common case", { concurrent: false }, () => {
  it("a command that fails is named with its last lines, and no workspace is kept", async () => {
    const directory = project("broken", {
      ".devcontainer.json":
        `{"image": "${registry.host}/base:1", "postCreateCommand": "echo first; echo last >&2; exit 3"}`
    })
    const failed = await pyro.failure(["create", ...smallSizes, "--devcontainer", directory, ...allowed()])
    assert.strictEqual(failed.code, "dev_container_command_failed")
    assert.match(failed.message, /postCreateCommand failed \(exit status 3\).*first\nlast/s)
    assert.notInclude((await pyro.list()).map(({ name }) => name), "broken")
    const skipped = await pyro.call([
      "create",
      ...smallSizes,
      "--devcontainer",
      directory,
      "--skip-commands",
      ...allowed()
    ])
    assert.strictEqual(skipped.code, 0, skipped.stderr)
  })

  it("is what pyro up makes of a pyro.toml that says so, with the set-up of both files", async () => {
    const directory = project("up", {
      "pyro.toml": "devcontainer = true\nmemory = 256\nsetup = [\"cat seen > after\"]\n",
      ".devcontainer.json": `{"image": "${registry.host}/base:1", "postCreateCommand": "echo $(id -u) > seen"}`
    })
    const { asks } = await pyro.failure(["up", directory])
    assert.deepStrictEqual(asks, [
      `a build of the dev container .devcontainer.json, with images and features from port ${
        registry.host.split(":")[1]
      } of this computer (${registry.host}), with your logins there`
    ])
    const { workspace } = await pyro.json<{ readonly workspace: string }>(["up", directory, "--yes"])
    assert.strictEqual(await pyro.sh(workspace, "cat after"), "1000")
    await pyro.call(["delete", workspace])
  })

  it("builds a Dockerfile beside the context, and a local feature over it, with its options", async () => {
    const directory = project("built", {
      ".devcontainer/devcontainer.json": JSON.stringify({
        build: { dockerfile: "Dockerfile", context: "..", args: { WORD: "of the file" } },
        features: { "./greeter": { word: "hi there" } },
        remoteUser: "vscode",
        postCreateCommand: "cat /built /greeted > seen"
      }),
      ".devcontainer/Dockerfile":
        `FROM ${registry.host}/base:1\nARG WORD\nCOPY source /source\nRUN echo $WORD > /built; cat /source >> /built\n`,
      ".devcontainer/greeter/devcontainer-feature.json": JSON.stringify({
        id: "greeter",
        version: "1.0.0",
        options: { word: { type: "string", default: "x" }, loud: { type: "boolean", default: false } },
        containerEnv: { GREETER: "/opt/greeter:${PATH}" }
      }),
      ".devcontainer/greeter/install.sh":
        "#!/bin/sh\nset -e\necho \"$WORD $LOUD $_REMOTE_USER $_REMOTE_USER_HOME\" > /greeted\nid -u >> /greeted\n",
      "source": "of the context\n"
    })
    const created = await pyro.call([
      "create",
      ...smallSizes,
      "--devcontainer",
      directory,
      "--name",
      "built",
      ...allowed()
    ])
    assert.strictEqual(created.code, 0, created.stderr)
    assert.strictEqual(
      await pyro.sh("built", "cat seen; echo $GREETER; ls /tmp"),
      "of the file\nof the context\nhi there false vscode /home/vscode\n0\n/opt/greeter:/bin\norder"
    )
  })
})
