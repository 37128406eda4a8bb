import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { ociArchive } from "../support/oci/archive.ts"
import { imageOf } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-packages-test-")
let pyro: ReturnType<typeof installation>

beforeAll(() => {
  pyro = installation("pyro-packages-")
})

afterAll(async () => {
  await pyro.close()
  remove()
})

const imported = async (name: string, release: string) => {
  const image = imageOf([[probeIn(folder), { name: "etc/os-release", data: release }]], { Cmd: ["/probe"] })
  const { code, stderr } = await pyro.call(["env", "import", "-", "--name", name], { input: ociArchive([{ image }]) })
  assert.strictEqual(code, 0, stderr)
}

describe("packages over an image", { concurrent: false }, () => {
  it("are installed by the image's own tools, which leave nothing of the installation", async () => {
    const file = `${folder}/base.tar`
    for (const args of [["export", "debian:13-base", "-o", file], ["import", file, "--name", "imported"]]) {
      const { code, stderr } = await pyro.call(["env", ...args])
      assert.strictEqual(code, 0, stderr)
    }
    const words = ["env", "build", "greeting", "--from", "imported", "--packages", "hello"]
    const built = await pyro.json<{ readonly digest: string }>(words)
    assert.deepInclude(built as object, { origin: "own", from: "imported", added_packages: ["hello"] })
    const look = "hello; ls -A /var/lib/apt/lists /var/cache/apt; wc -c </etc/resolv.conf"
    const ran = await pyro.call(["run", "greeting", "--mem-mib", "256", "--", "sh", "-c", look])
    const said = "Hello, world!\n/var/cache/apt:\n\n/var/lib/apt/lists:\n0\n"
    assert.strictEqual(ran.stdout.toString(), said, ran.stderr)
    assert.strictEqual((await pyro.json<{ readonly digest: string }>(words)).digest, built.digest)
  })

  it.each([
    ["fedora", "ID=fedora\n", /the image is of fedora, and packages are added to Debian, Ubuntu and Alpine/],
    ["distroless", "ID=debian\n", /the image has no apt-get/],
    ["alpine", "ID=alpine\n", /the image has no apk/],
    ["nameless", "NAME=none\n", /no known distribution/]
  ])("an image of %s without the tools is refused, and leaves nothing", async (name, release, said) => {
    await imported(name, release)
    const refused = await pyro.call(["env", "build", "none", "--from", name, "--packages", "hello"])
    assert.match(refused.stderr, said)
    const { environments } = await pyro.json<{ readonly environments: ReadonlyArray<{ readonly name: string }> }>([
      "env",
      "list"
    ])
    assert.notInclude(environments.map(({ name }) => name), "none")
    assert.deepStrictEqual(pyro.workspaceIds(), [])
  })

  it("a package that the release does not have is named, and packages of npm are refused", async () => {
    const absent = await pyro.failure([
      "env",
      "build",
      "none",
      "--from",
      "imported",
      "--packages",
      "no-such-package-here"
    ])
    assert.match(absent.message, /no-such-package-here/)
    const npm = await pyro.call(["env", "build", "none", "--from", "imported", "--npm", "prettier@3.6.2"])
    assert.match(npm.stderr, /gets no packages of npm\. Add them with a Dockerfile: --dockerfile/)
  })
})
