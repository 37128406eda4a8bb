import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { imageOf } from "../support/oci/image.ts"
import { oddImage, pullsOdd } from "../support/oci/odd.ts"
import { probeIn } from "../support/oci/probe.ts"
import { pullsOf } from "../support/oci/pulls.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-image-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>
let pulls: ReturnType<typeof pullsOf>

beforeAll(async () => {
  const program = probeIn(folder)
  const lying = imageOf([[program, { name: "other", data: "lie" }]], {})
  const [layer = ""] = JSON.parse(lying.manifest.toString()).layers.map(({ digest }: { digest: string }) => digest)
  registry = await startRegistry(
    {
      "odd:1": oddImage(program, "unpacked"),
      "lying:1": lying,
      "away:1": imageOf([[program, { name: "away", data: "away" }]], {})
    },
    (path) => {
      // The registry gives other bytes than the digest that it was asked for.
      if (path.includes(`/lying/blobs/${layer}`)) return (response) => response.end("other bytes")
      // It sends the builder to an address that the policy of its network does not have.
      if (/\/away\/blobs\//.test(path)) {
        return (response) => response.writeHead(307, { location: "http://169.254.169.254/latest/meta-data" }).end()
      }
      return undefined
    }
  )
  pyro = installation("pyro-image-")
  pulls = pullsOf(pyro, registry)
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  remove()
})

describe("environments of images", { concurrent: false }, () => {
  // test/images/odd.test.ts has layers that are added to each other.
  it("an image of odd entries, with layers that are unpacked, becomes an environment with all of them", async () => {
    await pullsOdd(pyro, pulls, "odd:1")
  })

  it("a workspace of a saved snapshot has the image's user", async () => {
    for (
      const args of [
        ["create", pulls.reference("odd:1"), "--name", "origin", "--mem-mib", "256", "--disk-mib", "512"],
        ["snapshot", "save", "origin", "kept"],
        ["create", "--from-snapshot", "kept", "--name", "copy"]
      ]
    ) {
      const done = await pyro.call(args)
      assert.strictEqual(done.code, 0, done.stderr)
    }
    const ran = await pyro.call(["exec", "copy", "--", "/probe"])
    assert.strictEqual(ran.stdout.toString(), "uid=1234 gid=50 cwd=/app GREETING=hi=there\n", ran.stderr)
    assert.strictEqual((await pyro.call(["delete", "copy", "origin"])).code, 0)
    assert.strictEqual((await pyro.call(["saved", "delete", "kept"])).code, 0)
  })

  it("run without a command runs the image's own", async () => {
    const ran = await pyro.call(["run", pulls.reference("odd:1"), "--mem-mib", "256"])
    assert.strictEqual(
      ran.stdout.toString(),
      "uid=1234 gid=50 cwd=/app GREETING=hi=there /app/first=first\n",
      ran.stderr
    )
  })

  // test/images/refusals.test.ts has the other reasons.
  it.each([
    ["lying:1", "digest", /digest|does not match|mismatch/i],
    ["away:1", "policy", /169\.254\.169\.254/]
  ])("%s is refused (%s), and leaves nothing", async (name, reason, said) => {
    const before = await pulls.images()
    const refused = await pyro.failure(["env", "pull", pulls.reference(name)])
    assert.strictEqual(refused.code, "image_pull_failed", refused.message)
    assert.deepStrictEqual([refused["reason"], said.test(refused.message)], [reason, true], refused.message)
    assert.deepStrictEqual(await pulls.images(), before)
    assert.deepStrictEqual(pulls.leftovers(), [])
    const { workspaces } = await pyro.json<{ readonly workspaces: ReadonlyArray<unknown> }>(["list"])
    assert.deepStrictEqual(workspaces, [])
  })
})
