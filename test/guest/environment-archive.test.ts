import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { ociArchive } from "../support/oci/archive.ts"
import { digestOf, imageOf } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

interface Image {
  readonly image_digest: string
}

interface Index {
  readonly manifests: ReadonlyArray<{ readonly digest: string }>
}

const { folder, remove } = temporaryFolder("pyro-archive-test-")
let pyro: ReturnType<typeof installation>

beforeAll(() => {
  pyro = installation("pyro-archive-")
})

afterAll(async () => {
  await pyro.close()
  remove()
})

describe("an environment out of an archive and into one", () => {
  // test/images/archive.test.ts has the other forms, the way back, and what is refused.
  it("is the image of the archive, and its archive has the digest that is told", async () => {
    const image = imageOf([[probeIn(folder), { name: "other", data: "text", mode: 0o4755, uid: 1234 }]], {
      Entrypoint: ["/probe"],
      Cmd: ["/other"],
      Env: ["GREETING=packed"]
    })
    const [first, second] = ["first.tar", "second.tar"].map((name) => path.join(folder, name)) as [string, string]
    fs.writeFileSync(first, ociArchive([{ image }]))
    const imported = await pyro.json<Image>(["env", "import", first])
    assert.strictEqual(imported.image_digest, digestOf(image.manifest))
    const exported = await pyro.json<Image>(["env", "export", "first", "-o", second])
    const index = JSON.parse(execFileSync("tar", ["-xOf", second, "index.json"], { encoding: "utf8" })) as Index
    assert.strictEqual(index.manifests[0]?.digest, exported.image_digest)
    const { stderr, stdout } = await pyro.call(["run", "first", "--mem-mib", "256", "--", "/probe", "/other"])
    assert.strictEqual(stdout.toString(), "uid=0 gid=0 cwd=/workspace GREETING=packed /other=text\n", stderr)
  })
})
