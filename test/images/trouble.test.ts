import { execFileSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import * as zlib from "node:zlib"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { unmount } from "../support/files/mounts.ts"
import { installation } from "../support/installation.ts"
import { imageOf, type TestImage } from "../support/oci/image.ts"
import { probeIn } from "../support/oci/probe.ts"
import { startRegistry, type TestRegistry } from "../support/oci/registry.ts"
import { tarOf } from "../support/oci/tar.ts"
import { sharedCache } from "../support/own-cache.ts"
import { temporaryFolder, until } from "../support/pyro-cli.ts"
import { settlesAs } from "../support/settled.ts"

/** A busy host without KVM takes so long until the builder asks. */
const BOOT_MS = 300_000
const MIB = 1024 * 1024
const { folder, remove } = temporaryFolder("pyro-trouble-test-")
/** The state directory has a file system of its own, which a test fills. */
const mountPoint = fs.mkdtempSync("/var/tmp/pyro-builder-host-")
let registry: TestRegistry
let pyro: ReturnType<typeof installation>
let stalled = 0
let stalls = false
let large: TestImage
const goOn: Array<() => void> = []

/** A layer of three megabytes with a file of three gigabytes. */
const bomb = () => {
  const header = Buffer.from(tarOf([{ name: "zeros", data: "" }]).subarray(0, 512))
  header.write(`${(3_072 * MIB).toString(8).padStart(11, "0")}\0`, 124, "latin1")
  header.fill(" ", 148, 156)
  const sum = header.reduce((all, byte) => all + byte, 0)
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1")
  const zeros = zlib.gzipSync(Buffer.alloc(64 * MIB))
  return Buffer.concat([zlib.gzipSync(header), ...Array.from({ length: 48 }, () => zeros)])
}

beforeAll(async () => {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1g,mode=0700", "tmpfs", mountPoint])
  const program = probeIn(folder)
  const plain = imageOf([[program]], { Cmd: ["/probe"] })
  large = imageOf([[program, { name: "noise", data: randomBytes(96 * MIB) }]], {})
  registry = await startRegistry(
    { "plain:1": plain, "bomb:1": imageOf([[program]], {}, { packed: [bomb()] }), "large:1": large },
    (asked) =>
      stalls && /\/(plain|large)\/blobs\//.test(asked)
        ? (response) => {
          stalled++
          goOn.push(() => {
            const content = large.blobs.get(asked.replace(/.*\//, ""))!
            response.writeHead(200, { "content-length": content.length }).end(content)
          })
        }
        : undefined
  )
  pyro = installation("pyro-trouble-", {
    env: { PYRO_STATE_DIR: path.join(mountPoint, "state"), PYRO_BUILDER_DISK_MIB: "512" }
  })
})

afterAll(async () => {
  await pyro.close()
  await registry.close()
  await unmount(mountPoint)
  fs.rmdirSync(mountPoint)
  remove()
})

const reference = (name: string) => `${registry.host}/${name}`
const pull = (name: string) => pyro.call(["env", "pull", reference(name)])

const leftovers = () => [
  ...fs.readdirSync(path.join(sharedCache, "environments", "tmp")).filter((entry) =>
    entry.startsWith(`image-${registry.host.replace(":", "_")}`)
  ),
  ...fs.readdirSync(path.join(mountPoint, "state", "results")).filter((entry) => entry !== ".lock")
]

const nothingLeft = async () => {
  await settlesAs(() => pyro.workspaceIds().length, 0)
  assert.deepStrictEqual(leftovers(), [])
}

describe("a pull in trouble", { concurrent: false }, () => {
  it("a layer that decompresses to more than the builder's disk is refused", async () => {
    const refused = await pull("bomb:1")
    assert.notStrictEqual(refused.code, 0)
    assert.match(refused.stderr, /decompresses to more than the builder's disk takes/)
    await nothingLeft()
  })

  it("a builder that is killed ends the pull with an error, and the next pull succeeds", async () => {
    stalls = true
    const pulling = pull("plain:1")
    await until("the registry to be asked for a layer", () => stalled > 0, BOOT_MS)
    const { vms } = await pyro.json<
      { readonly vms: ReadonlyArray<{ readonly workspace?: string; readonly pid: number }> }
    >(
      ["daemon", "status"]
    )
    process.kill(vms.find(({ workspace }) => workspace !== undefined)!.pid, "SIGKILL")
    const { code, stderr } = await pulling
    assert.notStrictEqual(code, 0)
    assert.match(stderr, /microVM|guest/)
    await nothingLeft()
    stalls = false
    const again = await pull("plain:1")
    assert.strictEqual(again.code, 0, again.stderr)
  })

  it("a host's disk that fills up ends the pull with an error, and the next pull with room succeeds", async () => {
    stalls = true
    const before = stalled
    goOn.length = 0
    const pulling = pull("large:1")
    await until("the registry to be asked for a layer", () => stalled > before, BOOT_MS)
    const filler = path.join(mountPoint, "filler")
    const { bavail, bsize } = fs.statfsSync(mountPoint)
    execFileSync("fallocate", ["-l", String(bavail * bsize - 32 * MIB), filler])
    stalls = false
    for (const answer of goOn) answer()
    const { code, stderr } = await pulling
    fs.rmSync(filler)
    assert.notStrictEqual(code, 0)
    assert.match(stderr, /disk of this host is full/)
    await nothingLeft()
    const again = await pull("large:1")
    assert.strictEqual(again.code, 0, again.stderr)
  })
})
