import type { ChildProcess } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { imageOf, indexOf, type TestImage } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { type TarEntry, tarOf } from "../support/oci/tar.ts"
import { sharedCache } from "../support/own-cache.ts"
import { temporaryFolder, until } from "../support/pyro-cli.ts"
import { settlesAs } from "../support/settled.ts"

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

/** A user who is a member of one of two other groups. */
const USERS: ReadonlyArray<TarEntry> = [
  { name: "etc/", type: "5" },
  { name: "etc/passwd", data: "root:x:0:0::/:/probe\napp:x:1234:50::/app:/probe\n", mode: 0o644 },
  { name: "etc/group", data: "staff:x:50:\ndocker:x:990:other,app\nwheel:x:10:other\n", mode: 0o644 }
]

const { folder, remove } = temporaryFolder("pyro-image-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>
let plain: TestImage
let stalls = false
let stalled = 0

beforeAll(async () => {
  const program = probeIn(folder)
  plain = imageOf([[program]], { Cmd: ["/probe"] })
  const foreign = imageOf([[program]], {}, { architecture: "arm64" })
  const index = indexOf([{ image: foreign, architecture: "arm64" }, { image: plain, architecture: "amd64" }])
  const lying = imageOf([[program, { name: "other", data: "lie" }]], {})
  const [layer = ""] = JSON.parse(lying.manifest.toString()).layers.map(({ digest }: { digest: string }) => digest)
  registry = await startRegistry(
    {
      "odd:1": odd(program, LINKED),
      "added:1": odd(program, { name: "app/linked", data: "first" }),
      "plain:1": plain,
      "many:1": index,
      "foreign:1": foreign,
      "umoci:1": imageOf([tarOf([program, ...USERS], Buffer.alloc(0))], {
        User: "app",
        WorkingDir: "/made/for/it",
        Cmd: ["/probe"]
      }),
      "broken:1": imageOf([Buffer.from("no archive at all, and longer than a block".repeat(40))], {}),
      "lying:1": lying,
      "away:1": imageOf([[program, { name: "away", data: "away" }]], {})
    },
    (path) => {
      // The registry gives other bytes than the digest that it was asked for.
      if (path.includes(`/lying/blobs/${layer}`)) return (response) => response.end("other bytes")
      // It stalls, until it is told not to.
      if (stalls && path.includes("/plain/blobs/")) return () => void stalled++
      // It sends the builder to an address that the policy of its network does not have.
      if (/\/away\/blobs\//.test(path)) {
        return (response) => response.writeHead(307, { location: "http://169.254.169.254/latest/meta-data" }).end()
      }
      return undefined
    }
  )
  pyro = installation("pyro-image-")
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  remove()
})

const reference = (name: string) => `${registry.host}/${name}`
const pull = (name: string) => pyro.call(["env", "pull", reference(name)])
/** Other tests pull into the same cache meanwhile. */
const images = async () =>
  (await pyro.json<{ readonly environments: ReadonlyArray<Listed> }>(["env", "list"])).environments
    .filter(({ name, origin }) => origin === "image" && name.startsWith(registry.host))

interface Listed {
  readonly name: string
  readonly origin: string
  readonly digest: string
  readonly image_digest?: string
}

/** Other tests pull into the same cache; only these come from this registry. */
const leftovers = () =>
  fs.readdirSync(path.join(sharedCache, "environments", "tmp")).filter((entry) =>
    entry.startsWith(`image-${registry.host.replace(":", "_")}`)
  )

describe("environments of images", { concurrent: false }, () => {
  it.each([
    ["unpacked", "odd:1"],
    ["added to each other", "added:1"]
  ])("an image of odd entries, with layers that are %s, becomes an environment with all of them", async (_, image) => {
    const pulled = await pull(image)
    assert.strictEqual(pulled.code, 0, pulled.stderr)
    const created = await pyro.call([
      "create",
      reference(image),
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
    assert.deepStrictEqual([(await pyro.call(["delete", "odd"])).code, leftovers()], [0, []])
  })

  it.each(["odd:1", "added:1"])("the same manifest gives the same bytes each time: %s", async (image) => {
    const digest = async () => (await images()).find(({ name }) => name === reference(image))?.digest
    const first = await digest()
    assert.isDefined(first)
    assert.strictEqual((await pull(image)).code, 0)
    assert.strictEqual(await digest(), first)
  })

  it("a workspace of a saved snapshot has the image's user", async () => {
    for (
      const args of [
        ["create", reference("odd:1"), "--name", "origin", "--mem-mib", "256", "--disk-mib", "512"],
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
    const ran = await pyro.call(["run", reference("odd:1"), "--mem-mib", "256"])
    assert.strictEqual(
      ran.stdout.toString(),
      "uid=1234 gid=50 cwd=/app GREETING=hi=there /app/first=first\n",
      ran.stderr
    )
  })

  it("an index gives this machine's image, and two names of one manifest share one environment", async () => {
    const pulled = [await pull("many:1"), await pull("plain:1")]
    assert.deepStrictEqual(pulled.map(({ code }) => code), [0, 0], pulled.map(({ stderr }) => stderr).join())
    const [many, one] = await Promise.all(
      ["many:1", "plain:1"].map(async (name) => (await images()).find((image) => image.name === reference(name)))
    )
    assert.strictEqual(many?.digest, one?.digest)
    assert.strictEqual(many?.image_digest, one?.image_digest)
  })

  it("the groups of a named user, a layer without an archive's end, and a directory of no layer are as in container engines", async () => {
    const ran = await pyro.call(["run", reference("umoci:1"), "--mem-mib", "256"])
    assert.strictEqual(ran.stdout.toString(), "uid=1234 gid=50 cwd=/made/for/it GREETING= group=990\n", ran.stderr)
  })

  it.each([
    ["foreign:1", "platform", /this host runs linux\/amd64, and the image is for linux\/arm64\./],
    ["broken:1", "image", /ReadError|not.*tar|invalid|truncated/i],
    ["lying:1", "digest", /digest|does not match|mismatch/i],
    ["away:1", "policy", /169\.254\.169\.254/],
    ["absent:1", "not_found", /has no such image: .*unknown/]
  ])("%s is refused (%s), and leaves nothing", async (name, reason, said) => {
    const before = await images()
    const refused = await pyro.failure(["env", "pull", reference(name)])
    assert.strictEqual(refused.code, "image_pull_failed", refused.message)
    assert.deepStrictEqual([refused["reason"], said.test(refused.message)], [reason, true], refused.message)
    assert.deepStrictEqual(await images(), before)
    assert.deepStrictEqual(leftovers(), [])
    const { workspaces } = await pyro.json<{ readonly workspaces: ReadonlyArray<unknown> }>(["list"])
    assert.deepStrictEqual(workspaces, [])
  })

  it("a pull outlives neither its daemon nor its caller, and the next one succeeds", async () => {
    stalls = true
    for (const end of ["daemon", "caller"] as const) {
      const before = stalled
      let caller: ChildProcess | undefined
      const onStart = (child: ChildProcess) => void (caller = child)
      const pulling = pyro.call(["env", "pull", reference("plain:1")], { onStart })
      await until("the registry to be asked for a layer", () => stalled > before)
      if (end === "daemon") process.kill(await pyro.daemonPid(), "SIGKILL")
      else caller?.kill("SIGINT")
      assert.notStrictEqual((await pulling).code, 0)
      await settlesAs(async () => (await pyro.list()).length, 0)
    }
    stalls = false
    assert.strictEqual((await pull("plain:1")).code, 0)
    assert.deepStrictEqual(leftovers(), [])
  })
})
