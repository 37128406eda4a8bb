import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { imageOf, type TestImage } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { pullsOf } from "../support/oci/pulls.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import type { TarEntry } from "../support/oci/tar.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const LONG = `deep/${"d".repeat(120)}/${"e".repeat(150)}/end`

const config = {
  Env: ["GREETING=hi=there", "=nameless", "__proto__=x"],
  User: "app:staff",
  WorkingDir: "/app",
  Entrypoint: ["/probe"],
  Cmd: ["/app/first"]
}

/** A hard link to a file of the layer below: no layer with one can be added to the file system of those below it. */
const LINKED: TarEntry = { name: "app/linked", type: "1", target: "app/first" }

/** What distributions' images have, and what only odd ones have. */
const odd = (program: TarEntry, linked: TarEntry): TestImage =>
  imageOf([
    [
      program,
      { name: "etc/", type: "5" },
      { name: "etc/passwd", data: "root:x:0:0::/:/probe\napp:x:1234:1234::/app:/probe\n", mode: 0o644 },
      { name: "etc/group", data: "staff:x:50:\n", mode: 0o644 },
      { name: "etc/gone", data: "removed by the second layer" },
      { name: "opt/", type: "5" },
      { name: "opt/old", data: "hidden by an opaque directory" },
      { name: "app/", type: "5", uid: 1234, gid: 50 },
      { name: "app/first", data: "first" },
      { name: "app/replaced", data: "a file" },
      { name: "setuid", data: "s", mode: 0o4755 },
      { name: "large-uid", data: "u", uid: 4_294_967_294 },
      { name: "capable", data: "c", pax: { "SCHILY.xattr.user.pyro": "kept" } },
      { name: "null", type: "3", device: [1, 3], mode: 0o666 },
      { name: "link", type: "2", target: "../../../etc/passwd" },
      { name: LONG, data: "long" }
    ],
    [
      { name: "etc/.wh.gone" },
      { name: "opt/", type: "5" },
      { name: "opt/.wh..wh..opq" },
      { name: "opt/new", data: "new" },
      linked
    ],
    [{ name: "app/replaced", type: "5" }, { name: "app/replaced/file", data: "by a directory" }]
  ], config)

const { folder, remove } = temporaryFolder("pyro-image-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>
let pulls: ReturnType<typeof pullsOf>

beforeAll(async () => {
  const program = probeIn(folder)
  const foreign = imageOf([[program]], {}, { architecture: "arm64" })
  const lying = imageOf([[program, { name: "other", data: "lie" }]], {})
  const [layer = ""] = JSON.parse(lying.manifest.toString()).layers.map(({ digest }: { digest: string }) => digest)
  registry = await startRegistry(
    {
      "odd:1": odd(program, LINKED),
      "added:1": odd(program, { name: "app/linked", data: "first" }),
      "foreign:1": foreign,
      "broken:1": imageOf([Buffer.from("no archive at all, and longer than a block".repeat(40))], {}),
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
  it.each([
    ["unpacked", "odd:1"],
    ["added to each other", "added:1"]
  ])("an image of odd entries, with layers that are %s, becomes an environment with all of them", async (_, image) => {
    const pulled = await pulls.pull(image)
    assert.strictEqual(pulled.code, 0, pulled.stderr)
    const created = await pyro.call([
      "create",
      pulls.reference(image),
      "--name",
      "odd",
      "--mem-mib",
      "256",
      "--disk-mib",
      "512"
    ])
    assert.strictEqual(created.code, 0, created.stderr)
    const ran = await pyro.call([
      "exec",
      "odd",
      "--",
      "/probe",
      "/app/linked",
      "/opt/new",
      "/opt/old",
      "/etc/gone",
      "/app/replaced/file",
      `/${LONG}`
    ])
    assert.strictEqual(
      ran.stdout.toString(),
      `uid=1234 gid=50 cwd=/app GREETING=hi=there /app/linked=first /opt/new=new /opt/old=- /etc/gone=- /app/replaced/file=by a directory /${LONG}=long\n`,
      ran.stderr
    )
    const stat = (file: string) =>
      pyro.json<{ readonly type: string; readonly mode: string; readonly uid: number; readonly gid: number }>([
        "file",
        "stat",
        "odd",
        file
      ])
    assert.deepInclude(await stat("/setuid"), { type: "file", mode: "4755" })
    assert.deepInclude(await stat("/large-uid"), { uid: 4_294_967_294 })
    assert.deepInclude(await stat("/workspace"), { uid: 1234, gid: 50 })
    const own = await pyro.call([
      "exec",
      "odd",
      "--user",
      "root",
      "--cwd",
      "/",
      "--env",
      "GREETING=own",
      "--",
      "/probe"
    ])
    assert.strictEqual(own.stdout.toString(), "uid=0 gid=0 cwd=/ GREETING=own\n", own.stderr)
    assert.deepStrictEqual([(await pyro.call(["delete", "odd"])).code, pulls.leftovers()], [0, []])
  })

  it.each(["odd:1", "added:1"])("the same manifest gives the same bytes each time: %s", async (image) => {
    const digest = async () => (await pulls.images()).find(({ name }) => name === pulls.reference(image))?.digest
    const first = await digest()
    assert.isDefined(first)
    assert.strictEqual((await pulls.pull(image)).code, 0)
    assert.strictEqual(await digest(), first)
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

  it.each([
    ["foreign:1", "platform", /this host runs linux\/amd64, and the image is for linux\/arm64\./],
    ["broken:1", "image", /ReadError|not.*tar|invalid|truncated/i],
    ["lying:1", "digest", /digest|does not match|mismatch/i],
    ["away:1", "policy", /169\.254\.169\.254/],
    ["absent:1", "not_found", /has no such image: .*unknown/]
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
