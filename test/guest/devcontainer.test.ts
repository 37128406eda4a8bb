import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, smallSizes } from "../support/installation.ts"
import { featureOf, imageOf } from "../support/oci/image.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { shellRoot } from "../support/oci/shell.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-devcontainer-test-")
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
  pyro = installation("pyro-devcontainer-")
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  await features.close()
  remove()
})

/** An install script that says when it ran. */
const note = (text: string) => `#!/bin/sh\necho "${text}" >> /order\n`

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
        "postAttachCommand": { "server": "touch /tmp/attached; sleep 100000" },
        "runArgs": ["--privileged"],
        "forwardPorts": [3000],
      }`,
      "made-before": "of the project\n"
    })
    const words = ["create", ...smallSizes, "--devcontainer", directory, "--name", "shop", "--forward-ports"]
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

  it("is what pyro up makes of a pyro.toml that says so, with the set-up of both files", async () => {
    const directory = project("up", {
      "pyro.toml": "devcontainer = true\nmemory = 256\nsetup = [\"cat seen > after\"]\n",
      ".devcontainer.json": `{"image": "${registry.host}/base:1", "postCreateCommand": "echo $(id -u) > seen"}`
    })
    const { asks } = await pyro.failure(["up", directory])
    assert.deepStrictEqual(asks, [
      `a build of the dev container .devcontainer.json, with images and features from ${registry.host}, with your logins there`
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
    const created = await pyro.call(["create", ...smallSizes, "--devcontainer", directory, "--name", "built"])
    assert.strictEqual(created.code, 0, created.stderr)
    assert.strictEqual(
      await pyro.sh("built", "cat seen; echo $GREETER; ls /tmp"),
      "of the file\nof the context\nhi there false vscode /home/vscode\n0\n/opt/greeter:/bin\norder"
    )
  })

  it("fetches features of registries with those that they need, and installs them in their order", async () => {
    const directory = project("featured", {
      ".devcontainer.json": JSON.stringify({
        image: `${registry.host}/base:1`,
        features: { [`${registry.host}/features/last:1`]: {}, [`${features.host}/features/other:2`]: "2" }
      })
    })
    const created = await pyro.call(["create", ...smallSizes, "--devcontainer", directory, "--name", "featured"])
    assert.strictEqual(created.code, 0, created.stderr)
    assert.strictEqual(
      await pyro.sh("featured", "cat /order /tmp/order; id -u"),
      "needed so\nother 2\nlast\nof the image\nof a feature\n1000"
    )
  })
})
