import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { imageOf, type TestImage } from "../support/oci/image.ts"
import { noise } from "../support/oci/noise.ts"
import { probeIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import type { TarEntry } from "../support/oci/tar.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const { folder, remove } = temporaryFolder("pyro-layers-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>
let images: Readonly<Record<string, TestImage>>
let base = ""

beforeAll(async () => {
  const layers: ReadonlyArray<TarEntry> = [probeIn(folder), { name: "base", data: noise("base", 1_048_576) }]
  const withOwn = (name: string) => imageOf([layers, [{ name, data: name }]], { Cmd: ["/probe", `/${name}`] })
  // A layer need not name the directories above its files.
  const closed: TarEntry = { name: "closed", type: "5", mode: 0o700 }
  const implied: ReadonlyArray<TarEntry> = [{ name: "closed/file", data: "text" }, { name: "new/file", data: "text" }]
  const unnamed = imageOf([[probeIn(folder), closed], implied], {
    User: "1234:50",
    Cmd: ["/probe", "/closed/file", "/new/file", "/etc/hostname"]
  })
  images = { "one:1": withOwn("one"), "two:1": withOwn("two"), "three:1": withOwn("three") }
  base = JSON.parse(images["one:1"]!.manifest.toString()).layers[0].digest
  const again: ReadonlyArray<TarEntry> = [{ name: "again", data: "again" }]
  const twice = imageOf([layers, again, [{ name: ".wh.again" }], again], { Cmd: ["/probe", "/again"] })
  registry = await startRegistry({ ...images, "unnamed:1": unnamed, "twice:1": twice, "rooted:1": rooted(folder) })
  pyro = installation("pyro-layers-")
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  remove()
})

/** Layers that name the root itself, with a time and with attributes: it needs more room than the root of the layers below. */
const rooted = (folder: string) => {
  const root: TarEntry = { name: "./", type: "5", pax: { "SCHILY.xattr.user.note": "x".repeat(100) } }
  const layers: ReadonlyArray<ReadonlyArray<TarEntry>> = [
    [{ ...root, pax: {} }, { ...probeIn(folder), name: "./probe" }],
    [{ ...root, pax: {} }, { name: "./second", data: "text" }],
    [root, { name: "./third", data: "text" }],
    [{ name: "fourth", data: "text" }]
  ]
  return imageOf(layers, { Cmd: ["/probe", "/second", "/third", "/fourth"] })
}

const fetched = (digest: string) =>
  registry.requests.filter((one) => one.startsWith("GET") && one.endsWith(`/blobs/${digest}`)).length

describe("the layers of images", { concurrent: false }, () => {
  it("two pulls of images with one base fetch the base once, and a later one fetches its own layers alone", async () => {
    const references = ["one:1", "two:1", "three:1"].map((name) => `${registry.host}/${name}`)
    const together = await Promise.all(references.slice(0, 2).map((one) => pyro.call(["env", "pull", one])))
    assert.deepStrictEqual(together.map(({ code }) => code), [0, 0], together.map(({ stderr }) => stderr).join())
    const third = await pyro.call(["env", "pull", references[2]!])
    assert.strictEqual(third.code, 0, third.stderr)
    const digests = [...new Set(Object.values(images).flatMap(({ blobs }) => [...blobs.keys()]))]
    assert.deepStrictEqual(digests.map(fetched), digests.map(() => 1), registry.requests.join("\n"))
    const ran = await pyro.call(["run", references[2]!, "--mem-mib", "256"])
    assert.match(ran.stdout.toString(), /three=three/, ran.stderr)
  })

  it("a layer may name the root itself", async () => {
    const ran = await pyro.call(["run", `${registry.host}/rooted:1`, "--mem-mib", "256"])
    assert.match(ran.stdout.toString(), / \/second=text \/third=text \/fourth=text/, ran.stderr)
  })

  it("a directory that a layer does not name stays as the layers below have it", async () => {
    const ran = await pyro.call(["run", `${registry.host}/unnamed:1`, "--mem-mib", "256"])
    assert.match(ran.stdout.toString(), / \/closed\/file=- \/new\/file=text /, ran.stderr)
  })

  it("an image may have a layer twice", async () => {
    const ran = await pyro.call(["run", `${registry.host}/twice:1`, "--mem-mib", "256"])
    assert.match(ran.stdout.toString(), / \/again=again/, ran.stderr)
  })

  it("a Dockerfile takes its base from there", async () => {
    const directory = path.join(folder, "context")
    fs.mkdirSync(directory)
    fs.writeFileSync(path.join(directory, "Dockerfile"), `FROM ${registry.host}/one:1\nCOPY . /copied\n`)
    const built = await pyro.call(["env", "build", "layered", "--dockerfile", directory, "--allow-host", registry.host])
    assert.strictEqual(built.code, 0, built.stderr)
    assert.strictEqual(fetched(base), 1, registry.requests.join("\n"))
  })
})
