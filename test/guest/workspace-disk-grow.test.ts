import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

const { call, close, create, failure, json, sh, step } = installation("pyro-disk-grow-")
afterAll(close)

interface Sized {
  readonly disk_mib: number
  readonly disk_used_bytes: number
}

const status = () => json<Sized>(["workspace", "status", "grown"])
const grow = (diskMib: number) => json<Sized>(["workspace", "update", "grown", "--disk-mib", String(diskMib)])
const mib = async () => Number(await sh("grown", "df -m --output=size /workspace | tail -1"))

describe("a disk that grows", { concurrent: false }, () => {
  beforeAll(async () => {
    await create(["--name", "grown"])
    await sh("grown", "echo first > file; head -c 20000000 /dev/urandom > large; sync")
    await json(["workspace", "snapshot", "create", "grown", "small"])
  }, 300_000)

  it("status shows the bytes that the changes take on the host", async () => {
    const { disk_used_bytes } = await status()
    assert.isAbove(disk_used_bytes, 20_000_000)
    assert.isBelow(disk_used_bytes, 200_000_000)
    assert.match((await call(["workspace", "status", "grown"])).stdout.toString(), /disk use +\d.* on this host/)
  }, 60_000)

  it("update refuses to shrink a disk, and to grow the disk of a running workspace", async () => {
    assert.strictEqual((await failure(["workspace", "update", "grown", "--disk-mib", "256"])).code, "invalid_request")
    assert.deepInclude(await failure(["workspace", "update", "grown", "--disk-mib", "1024"]), {
      code: "workspace_not_ready",
      legal_states: ["stopped", "failed"]
    })
    assert.strictEqual((await status()).disk_mib, 512)
  }, 60_000)

  it(
    "the file system has the new size after a start, beyond the descriptors of the first one, with all files",
    async () => {
      await step("stop", "grown")
      // 16 GiB need more block groups than one block of descriptors has.
      assert.strictEqual((await grow(16_384)).disk_mib, 16_384)
      const read = await json<{ readonly text: string }>(["workspace", "disk", "read", "grown", "/workspace/file"])
      assert.strictEqual(read.text, "first\n")
      await step("start", "grown")
      assert.isAbove(await mib(), 15_000)
      assert.strictEqual(await sh("grown", "cat file; stat -c %s large"), "first\n20000000")
      await sh("grown", "fallocate -l 2G beyond; rm beyond")
    },
    240_000
  )

  it("a diff still compares with the baseline", async () => {
    assert.include((await call(["workspace", "diff", "grown", "--name-only"])).stdout.toString(), "file")
  }, 180_000)

  it("a reset to a snapshot from before the growth goes on, and grows with the next start, also further", async () => {
    await json(["workspace", "reset", "grown", "--snapshot", "small"])
    assert.strictEqual(await sh("grown", "cat file; echo second >> file; sync; wc -l < file"), "first\n2")
    await step("stop", "grown")
    await grow(20_480)
    await step("start", "grown")
    assert.isAbove(await mib(), 19_000)
    assert.strictEqual(await sh("grown", "cat file"), "first\nsecond")
  }, 180_000)

  it("a reset starts from the seed with the new size", async () => {
    await step("reset", "grown")
    assert.strictEqual(await sh("grown", "ls -A"), "")
    assert.isAbove(await mib(), 19_000)
  }, 120_000)
})
