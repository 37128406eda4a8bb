import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { digestOf, imageOf, indexOf, type TestImage } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-mirror-test-")
const servers: Array<TestRegistry> = []
const images: Record<string, TestImage> = {}
let origin: TestRegistry
let mirror: TestRegistry
let pyro: ReturnType<typeof installation>

const started = async (...words: Parameters<typeof startRegistry>) => {
  const server = await startRegistry(...words)
  servers.push(server)
  return server
}

beforeAll(async () => {
  const program = probeIn(folder)
  for (const name of ["mirrored", "missing", "lying", "lying-base", "forged", "away", "foreign", "base"]) {
    images[`${name}:1`] = imageOf([[program, { name, data: name }]], { Cmd: ["/probe", `/${name}`] })
  }
  const layerOf = ({ manifest }: TestImage) => JSON.parse(manifest.toString()).layers[0].digest as string
  const foreign = imageOf([[program]], {}, { architecture: "s390x" })
  origin = await started(images)
  mirror = await started(
    {
      ...Object.fromEntries(
        ["mirrored:1", "lying:1", "lying-base:1", "forged:1", "away:1", "base:1"].map((name) => [
          `hub/${name}`,
          images[name]!
        ])
      ),
      "hub/foreign:1": indexOf([{ image: foreign, architecture: "s390x" }])
    },
    (asked) => {
      if (["lying", "lying-base"].some((name) => asked.includes(`/${name}/blobs/${layerOf(images[`${name}:1`]!)}`))) {
        return (response) => response.end("other")
      }
      // By its digest, the manifest of another image.
      if (asked.includes(`/forged/manifests/`)) {
        const { manifest, mediaType } = images["base:1"]!
        return (response) => response.writeHead(200, { "content-type": mediaType }).end(manifest)
      }
      if (asked.includes("/away/blobs/")) {
        return (response) => response.writeHead(307, { location: "http://169.254.169.254/latest" }).end()
      }
      return undefined
    }
  )
  const [, port] = mirror.host.split(":")
  // Nobody listens at port 9.
  const configured = `${origin.host}=127.0.0.1:9/none,localhost:${port}/hub`
  pyro = installation("pyro-mirror-", { env: { PYRO_REGISTRY_MIRRORS: configured, PYRO_PULL_STALL_SECONDS: "30" } })
})

afterAll(async () => {
  await pyro.close()
  await Promise.all(servers.map((server) => server.close()))
  remove()
})

const mirrorName = () => `localhost:${mirror.host.split(":")[1]}/hub`

const pull = async (name: string) => {
  const pulled = await pyro.call(["env", "pull", `${origin.host}/${name}`])
  assert.strictEqual(pulled.code, 0, pulled.stderr)
  return pulled.stderr
}

const inspected = (name: string) =>
  pyro.json<{ readonly mirror?: string; readonly image_digest: string }>(["env", "inspect", `${origin.host}/${name}`])

describe("mirrors of registries", { concurrent: false }, () => {
  it("the first mirror that has the image gives it, and the registry is not asked", async () => {
    const said = await pull("mirrored:1")
    assert.include(said, `fetching the image from the mirror ${mirrorName()}`)
    assert.include(said, "the mirror 127.0.0.1:9/none failed")
    const { image_digest, mirror: gave } = await inspected("mirrored:1")
    assert.deepStrictEqual([gave, image_digest], [mirrorName(), digestOf(images["mirrored:1"]!.manifest)])
    assert.deepStrictEqual(origin.requests, [])
    const text = await pyro.call(["env", "inspect", `${origin.host}/mirrored:1`])
    assert.include(text.stdout.toString(), mirrorName())
  })

  it.each([
    ["missing:1", "not_found"],
    ["foreign:1", "platform"],
    ["lying:1", "digest"],
    ["away:1", "unreachable"]
  ])("the registry gives %s, which the mirror does not (%s)", async (name, kind) => {
    assert.include(await pull(name), `the mirror ${mirrorName()} failed: ${kind}`)
    const { image_digest, mirror: gave } = await inspected(name)
    assert.deepStrictEqual([gave, image_digest], [undefined, digestOf(images[name]!.manifest)])
  })

  it("no mirror gives another manifest than a digest says", async () => {
    const name = `forged@${digestOf(images["forged:1"]!.manifest)}`
    assert.include(await pull(name), `the mirror ${mirrorName()} failed: digest`)
    const { image_digest, mirror: gave } = await inspected(name)
    assert.deepStrictEqual([gave, image_digest], [undefined, digestOf(images["forged:1"]!.manifest)])
  })

  it("an image that no registry has is refused, and the error names the mirrors", async () => {
    const refused = await pyro.failure(["env", "pull", `${origin.host}/absent:1`])
    assert.deepInclude(refused, { code: "image_pull_failed", reason: "not_found" })
    assert.include(refused.message, `the mirror ${mirrorName()} (not_found`)
  })

  const build = async (name: string, base: string) => {
    const context = path.join(folder, name)
    fs.mkdirSync(context)
    fs.writeFileSync(path.join(context, "Dockerfile"), `FROM ${origin.host}/${base}\nCOPY . /copied\n`)
    const built = await pyro.call(["env", "build", name, "--dockerfile", context, "--allow-host", origin.host])
    assert.strictEqual(built.code, 0, built.stderr)
    const { mirror: gave } = await pyro.json<{ readonly mirror?: string }>(["env", "inspect", name])
    return { gave, said: built.stderr }
  }

  it("a Dockerfile takes its base from the mirror", async () => {
    const before = origin.requests.length
    const { gave } = await build("mirrored", "base:1")
    assert.strictEqual(gave, mirrorName())
    assert.deepStrictEqual(origin.requests.slice(before), [])
  })

  it("a Dockerfile whose base the mirror breaks takes it from the registry", async () => {
    // No test before has pulled it: a build takes a base that this host has from neither.
    const { gave, said } = await build("broken", "lying-base:1")
    assert.include(said, `the mirror ${mirrorName()} failed: digest`)
    assert.isUndefined(gave)
  })
})
