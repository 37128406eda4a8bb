import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { regularFilesBeneath } from "../support/files/files-beneath.ts"
import { installation } from "../support/installation.ts"

const pyro = installation("pyro-archive-", { env: { PYRO_POOL_MEMBERS: "0" } })
const { call, create, folder, json, sh, step } = pyro
afterAll(pyro.close)

/** Written by the guest's own tools. */
const prepare = String.raw`
mkdir -p src/deep node_modules/left .git
printf 'plain\n' > src/file; printf '#!/bin/sh\necho ran\n' > src/tool; chmod 4755 src/tool; chmod 600 src/file
ln -s deep/large src/link; ln -s /etc/passwd src/outside; mkfifo src/fifo
head -c 3000000 /dev/urandom > src/deep/large; : > src/empty; printf 'odd' > "src/odd "
printf 'l' > node_modules/left/index.js; printf 'r\n' > report.html; printf 'x' > src/deep/debug.log
sha256sum src/deep/large | cut -d' ' -f1`

let digest = ""
beforeAll(async () => {
  await create(["--name", "w"])
  digest = await sh("w", prepare)
})

interface Exported {
  readonly skipped: ReadonlyArray<{ readonly path: string }>
}

/** Members of an archive as tar itself lists them. */
const membersOf = (archive: string) =>
  execFileSync("tar", ["-tf", archive]).toString().split("\n").filter((line) => line !== "" && line !== "./").sort()

/** Unpacks an archive with tar itself. */
const unpacked = (archive: string | Buffer) => {
  const target = fs.mkdtempSync(path.join(folder, "unpacked-"))
  const isFile = typeof archive === "string"
  execFileSync("tar", ["-xpf", isFile ? archive : "-", "-C", target], isFile ? {} : { input: archive })
  return target
}

/** What is unpacked of `src` is what the guest has, within the rules of an export. */
const isTheTree = (src: string) => {
  const sum = execFileSync("sha256sum", [path.join(src, "deep/large")]).toString().slice(0, 64)
  assert.strictEqual(sum, digest)
  assert.strictEqual(fs.readFileSync(path.join(src, "file"), "utf8"), "plain\n")
  assert.strictEqual(fs.readFileSync(path.join(src, "odd "), "utf8"), "odd")
  assert.strictEqual(fs.statSync(path.join(src, "empty")).size, 0)
  const modes = ["file", "tool", "deep"].map((name) => fs.statSync(path.join(src, name)).mode & 0o7777)
  assert.deepStrictEqual(modes, [0o600, 0o755, 0o755])
  assert.strictEqual(execFileSync(path.join(src, "tool")).toString(), "ran\n")
  assert.strictEqual(fs.readlinkSync(path.join(src, "link")), "deep/large")
  for (const name of ["outside", "fifo"]) assert.isFalse(fs.existsSync(path.join(src, name)), name)
}

describe("an archive that export makes of a real workspace", { concurrent: false }, () => {
  it("an exported archive has contents, links and modes, by the rules of an export", async () => {
    const archive = path.join(folder, "project.tar.gz")
    const { skipped } = await json<Exported>(["workspace", "export", "w", ".", "--output", archive])
    assert.sameMembers(skipped.map((one) => one.path), [".git", "src/fifo", "src/outside"])
    assert.deepStrictEqual([...fs.readFileSync(archive).subarray(0, 2)], [0x1f, 0x8b])
    const target = unpacked(archive)
    assert.sameMembers(fs.readdirSync(target), ["src", "node_modules", "report.html"])
    isTheTree(path.join(target, "src"))
  })

  it("an exported archive leaves out paths that match --exclude", async () => {
    const archive = path.join(folder, "less.tar")
    const without = ["--exclude", "node_modules", "--exclude", "*.log", "--exclude", "/src/odd*"]
    await json(["workspace", "export", "w", ".", ...without, "--output", archive])
    const members = membersOf(archive).map((name) => name.replace(/^\.\//, ""))
    assert.sameMembers(members, [
      ...["report.html", "src/", "src/deep/", "src/deep/large", "src/empty", "src/file", "src/link", "src/tool"]
    ])
  })

  it("an exported archive has several paths, each in its place", async () => {
    const archive = path.join(folder, "some.tgz")
    await json(["workspace", "export", "w", "src/deep", "report.html", "--exclude", "*.log", "--output", archive])
    const target = unpacked(archive)
    assert.sameMembers(regularFilesBeneath(target).map((file) => path.relative(target, file)), [
      "report.html",
      "src/deep/large"
    ])
  })

  it("an archive to the standard output is the only output", async () => {
    const { code, stderr, stdout } = await call(["workspace", "export", "w", "src", "--output", "-"])
    assert.strictEqual(code, 0, stderr)
    const target = unpacked(stdout)
    const src = fs.existsSync(path.join(target, "src")) ? path.join(target, "src") : target
    isTheTree(src)
  })

  it("an archive of a stopped workspace is the same, and never replaces a file without --overwrite", async () => {
    const archive = path.join(folder, "project.tar.gz")
    const before = fs.readFileSync(archive)
    await sh("w", "sync")
    await step("stop", "w")
    assert.strictEqual((await call(["workspace", "export", "w", ".", "--output", archive])).code, 1)
    assert.isTrue(fs.readFileSync(archive).equals(before))
    await json(["workspace", "export", "w", ".", "--overwrite", "--output", archive])
    isTheTree(path.join(unpacked(archive), "src"))
    assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => name.includes("project")), ["project.tar.gz"])
  })
})
