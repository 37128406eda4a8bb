import type { ChildProcess } from "node:child_process"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { imageOf, indexOf } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { pullsOf } from "../support/oci/pulls.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { type TarEntry, tarOf } from "../support/oci/tar.ts"
import { temporaryFolder, until } from "../support/pyro-cli.ts"
import { settlesAs } from "../support/settled.ts"

/** A user who is a member of one of two other groups. */
const USERS: ReadonlyArray<TarEntry> = [
  { name: "etc/", type: "5" },
  { name: "etc/passwd", data: "root:x:0:0::/:/probe\napp:x:1234:50::/app:/probe\n", mode: 0o644 },
  { name: "etc/group", data: "staff:x:50:\ndocker:x:990:other,app\nwheel:x:10:other\n", mode: 0o644 }
]

const { folder, remove } = temporaryFolder("pyro-pulls-test-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>
let pulls: ReturnType<typeof pullsOf>
let stalls = false
let stalled = 0

beforeAll(async () => {
  const program = probeIn(folder)
  const plain = imageOf([[program]], { Cmd: ["/probe"] })
  const foreign = imageOf([[program]], {}, { architecture: "arm64" })
  registry = await startRegistry(
    {
      "plain:1": plain,
      "many:1": indexOf([{ image: foreign, architecture: "arm64" }, { image: plain, architecture: "amd64" }]),
      "umoci:1": imageOf([tarOf([program, ...USERS], Buffer.alloc(0))], {
        User: "app",
        WorkingDir: "/made/for/it",
        Cmd: ["/probe"]
      })
    },
    // It stalls, until it is told not to.
    (path) => stalls && path.includes("/plain/blobs/") ? () => void stalled++ : undefined
  )
  pyro = installation("pyro-pulls-")
  pulls = pullsOf(pyro, registry)
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  remove()
})

describe("pulls of images, beyond the common case", { concurrent: false }, () => {
  it("an index gives this machine's image, and two names of one manifest share one environment", async () => {
    const pulled = [await pulls.pull("many:1"), await pulls.pull("plain:1")]
    assert.deepStrictEqual(pulled.map(({ code }) => code), [0, 0], pulled.map(({ stderr }) => stderr).join())
    const [many, one] = await Promise.all(
      ["many:1", "plain:1"].map(async (name) =>
        (await pulls.images()).find((image) => image.name === pulls.reference(name))
      )
    )
    assert.strictEqual(many?.digest, one?.digest)
    assert.strictEqual(many?.image_digest, one?.image_digest)
  })

  it("the groups of a named user, a layer without an archive's end, and a directory of no layer are as in container engines", async () => {
    const ran = await pyro.call(["run", pulls.reference("umoci:1"), "--mem-mib", "256"])
    assert.strictEqual(ran.stdout.toString(), "uid=1234 gid=50 cwd=/made/for/it GREETING= group=990\n", ran.stderr)
  })

  it("a pull outlives neither its daemon nor its caller, and the next one succeeds", async () => {
    stalls = true
    for (const end of ["daemon", "caller"] as const) {
      const before = stalled
      let caller: ChildProcess | undefined
      const onStart = (child: ChildProcess) => void (caller = child)
      const pulling = pyro.call(["env", "pull", pulls.reference("plain:1")], { onStart })
      await until("the registry to be asked for a layer", () => stalled > before)
      if (end === "daemon") process.kill(await pyro.daemonPid(), "SIGKILL")
      else caller?.kill("SIGINT")
      assert.notStrictEqual((await pulling).code, 0)
      await settlesAs(async () => {
        // The next daemon removes what a killed one left.
        await pyro.json(["workspace", "list"])
        return pyro.workspaceIds().length
      }, 0)
    }
    stalls = false
    assert.strictEqual((await pulls.pull("plain:1")).code, 0)
    assert.deepStrictEqual(pulls.leftovers(), [])
  })
})
