import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
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

const project = (name: string, files: Readonly<Record<string, string>>) => {
  const directory = path.join(folder, name)
  for (const [file, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(directory, file)), { recursive: true })
    fs.writeFileSync(path.join(directory, file), text)
  }
  return directory
}

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
        "runArgs": ["--privileged"],
      }`,
      "made-before": "of the project\n"
    })
    const created = await pyro.call(["create", ...smallSizes, "--devcontainer", directory, "--name", "shop"])
    assert.strictEqual(created.code, 0, created.stderr)
    assert.match(created.stderr, /warning: devcontainer.json: pyro does not use runArgs/)
    assert.strictEqual(
      await pyro.sh("shop", "cat /tmp/order seen started; id -u; echo $IN"),
      [
        "of the image",
        "one",
        "two",
        "hello /bin:/extra",
        "of the project",
        "1000",
        "/workspace"
      ].join("\n")
    )
  })

  it("a command that fails is named with its last lines, and no workspace is kept", async () => {
    const directory = project("broken", {
      ".devcontainer.json":
        `{"image": "${registry.host}/base:1", "postCreateCommand": "echo first; echo last >&2; exit 3"}`
    })
    const failed = await pyro.failure(["create", ...smallSizes, "--devcontainer", directory])
    assert.strictEqual(failed.code, "dev_container_command_failed")
    assert.match(failed.message, /postCreateCommand failed \(exit status 3\).*first\nlast/s)
    assert.notInclude((await pyro.list()).map(({ name }) => name), "broken")
    const skipped = await pyro.call(["create", ...smallSizes, "--devcontainer", directory, "--skip-commands"])
    assert.strictEqual(skipped.code, 0, skipped.stderr)
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
    const created = await pyro.call(["create", ...smallSizes, "--devcontainer", directory, "--name", "built"])
    assert.strictEqual(created.code, 0, created.stderr)
    assert.strictEqual(
      await pyro.sh("built", "cat seen; echo $GREETER; ls /tmp"),
      "of the file\nof the context\nhi there false vscode /home/vscode\n0\n/opt/greeter:/bin\norder"
    )
  })
})
