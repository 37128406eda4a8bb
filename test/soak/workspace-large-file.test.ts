import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { watchRss } from "../support/host/process-facts.ts"
import { installation } from "../support/installation.ts"

const pyro = installation("pyro-large-file-")
const { call, create, daemonPid, failure, folder, json, sh } = pyro

const MIB = 1024 * 1024
const GIB4 = 4096 * MIB
const END = "the end\n"

/** Content of a file from an offset on. */
const tailOf = (file: string, from: number, bytes: number) => {
  const fd = fs.openSync(file, "r")
  const content = Buffer.alloc(bytes)
  fs.readSync(fd, content, 0, bytes, from)
  fs.closeSync(fd)
  return content.toString()
}

const hashOf = async (file: string) => {
  const hash = createHash("sha256")
  for await (const piece of fs.createReadStream(file, { highWaterMark: 4 * MIB })) hash.update(piece as Buffer)
  return hash.digest("hex")
}

interface Listed {
  readonly entries: ReadonlyArray<{ readonly path: string; readonly size_bytes: number }>
}
interface Diff {
  readonly summary: { readonly files: number }
  readonly files: ReadonlyArray<
    { readonly path: string; readonly status: string; readonly size: number; readonly too_large?: boolean }
  >
  readonly too_large_count?: number
  readonly digest?: string
  readonly patch?: string
}
interface Exported {
  readonly files: number
  readonly bytes: number
  readonly entries: ReadonlyArray<{ readonly sha256: string }>
}

describe("a file of 4 GiB", () => {
  let rss: ReturnType<typeof watchRss>
  beforeAll(async () => {
    const seed = path.join(folder, "seed")
    fs.mkdirSync(seed)
    fs.writeFileSync(path.join(seed, "sparse"), "begin\n")
    fs.truncateSync(path.join(seed, "sparse"), GIB4)
    fs.appendFileSync(path.join(seed, "sparse"), END)
    fs.writeFileSync(path.join(seed, "small"), "1\n")
    await create(["--name", "w", "--mem-mib", "1024", "--disk-mib", "20480", "--seed-path", seed])
    rss = watchRss(await daemonPid())
  }, 300_000)
  afterAll(pyro.close)

  it("a sparse file of 4 GiB is seeded sparse", async () => {
    assert.strictEqual(await sh("w", "stat -c %s sparse; tail -c 8 sparse"), `${GIB4 + END.length}\n${END.trim()}`)
    // Its holes take no room, neither in the guest nor on the host.
    assert.isBelow(Number((await sh("w", "du -m sparse")).split(/\s/)[0]), 64)
    assert.strictEqual((await json<Diff>(["workspace", "diff", "w"])).summary.files, 0)
  })

  it("a file of 4 GiB is written, listed with its size, and read in part", async () => {
    await sh(
      "w",
      "yes 0123456789abcde | head -c 67108864 > lines; truncate -s 4294967280 lines; echo 0123456789abcde >> lines; sync"
    )
    const { entries } = await json<Listed>(["workspace", "file", "list", "w"])
    assert.deepStrictEqual(entries.map(({ path, size_bytes }) => [path, size_bytes]), [
      ["lines", GIB4],
      ["small", 2],
      ["sparse", GIB4 + END.length]
    ])
    const read = await json<{ readonly text: string; readonly next_line: number; readonly size_bytes: number }>(
      ["workspace", "file", "read", "w", "lines", "--start-line", "1000", "--max-bytes", "100"]
    )
    assert.deepInclude(read, { text: "0123456789abcde\n".repeat(6), next_line: 1006, size_bytes: GIB4 })
  })

  it("a diff names a file of 4 GiB and has no complete patch or digest", async () => {
    await sh("w", "echo 2 > small; truncate -s 1G sparse")
    const diff = await json<Diff>(["workspace", "diff", "w"])
    assert.deepStrictEqual(diff.files.map(({ path, size, status, too_large }) => [path, status, size, too_large]), [
      ["small", "modified", 2, undefined],
      ["lines", "added", GIB4, true],
      ["sparse", "modified", 1024 * MIB, true]
    ])
    assert.deepStrictEqual([diff.too_large_count, diff.digest], [2, undefined])
    assert.include(diff.patch, "+2\n")
    const { code, stderr } = await call(["workspace", "diff", "w"])
    assert.strictEqual(code, 1, "what was printed is not the whole patch")
    assert.include(stderr, "2 files too large to compare and in no patch (lines, sparse)")
    const { stdout } = await call(["workspace", "diff", "w", "--stat"])
    assert.include(stdout.toString(), "too large to compare, 4294967296 bytes")
    const refused = await failure(["workspace", "export", "w", "--patch", "--output", path.join(folder, "w.patch")])
    assert.strictEqual(refused.code, "file_refused")
    assert.match(refused.message, /too large for a patch/)
    // With the paths that matter there is a patch, the same to be seen and to be had.
    const { digest } = await json<Diff>(["workspace", "diff", "w", "--path", "small"])
    assert.isDefined(digest)
    const patch = path.join(folder, "small.patch")
    await json(["workspace", "export", "w", "small", "--patch", "--output", patch, "--expect", digest!])
    assert.match(fs.readFileSync(patch, "utf8"), /^diff --git a\/small b\/small\n[^]*\+2\n/)
  })

  it("a file of 4 GiB is exported with progress, and refused beyond the limit", async () => {
    const output = path.join(folder, "out")
    const refused = await failure(["workspace", "export", "w", "lines", "--output", output])
    assert.include(refused.message, "--max-mib")
    const args = ["workspace", "export", "w", "lines", "--output", output, "--max-mib", "5000"]
    const exported = await json<Exported>(args)
    assert.deepStrictEqual([exported.files, exported.bytes, fs.statSync(output).size], [1, GIB4, GIB4])
    assert.strictEqual(tailOf(output, GIB4 - 16, 16), "0123456789abcde\n")
    assert.strictEqual(exported.entries[0]!.sha256, await hashOf(output))
    fs.rmSync(output)
  })

  it("a file of 4 GiB does not grow the daemon beyond its bound", () => {
    assert.isBelow(rss.stop(), 512 * MIB)
  })
})
