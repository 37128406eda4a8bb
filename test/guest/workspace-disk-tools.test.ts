import { execFileSync, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"

const pyro = installation("pyro-disk-tools-")
const { call, close, create, daemonPid, failure, folder, json, list: workspaces, sh, state, step } = pyro
afterAll(close)

const out = path.join(folder, "out")
fs.mkdirSync(out)

interface Listed {
  readonly path: string
  readonly entries: ReadonlyArray<{ readonly path: string; readonly type: string; readonly target?: string }>
}
interface Read {
  readonly path: string
  readonly text?: string
  readonly binary: boolean
}

const list = (path: string, ...more: ReadonlyArray<string>) =>
  json<Listed>(["workspace", "disk", "list", "kept", path, ...more])
const read = (path: string) => json<Read>(["workspace", "disk", "read", "kept", path])

describe("the disk of a stopped workspace", () => {
  beforeAll(async () => {
    await create(["--name", "kept"])
    await sh(
      "kept",
      [
        "echo changed > /etc/motd",
        "rm /etc/debian_version",
        "mkdir -p /srv/odd && cd /srv/odd",
        "printf one > \"$(printf 'a\\033[2J\\377\\nb')\"",
        "ln -s /etc/motd absolute; ln -s ../../../../etc/motd climbing; ln -s loop loop; mkfifo pipe",
        "echo kept > /workspace/kept",
        "head -c 3000 /dev/urandom > /srv/bytes",
        "echo temporary > /tmp/leftover; mkfifo /tmp/pipe; mkdir -p /tmp/d/d && ln -s /etc /tmp/d/d/link",
        "yes the-deleted-secret | head -c 2000000 > /srv/gone; sync; rm /srv/gone",
        "head -c 48000000 /dev/urandom > /srv/large"
      ].join("\n")
    )
  }, 300_000)

  it("disk list refuses a running workspace, and names the command that stops the workspace", async () => {
    const { code, message } = await failure(["workspace", "disk", "list", "kept"])
    assert.strictEqual(code, "workspace_not_ready")
    assert.include(message, "pyro workspace stop kept")
    await step("stop", "kept")
  }, 120_000)

  it("disk list shows environment, changes and /workspace as one tree", async () => {
    const top = await list("/")
    assert.includeMembers(top.entries.map(({ path }) => path), ["/etc", "/srv", "/usr", "/workspace"])
    assert.deepStrictEqual((await list("/workspace")).entries.map(({ path }) => path), ["/workspace/kept"])
    const odd = (await list("/srv", "--recursive")).entries
    assert.include(odd.map(({ path }) => path), "\"/srv/odd/a\\033[2J\\377\\nb\"")
    assert.deepStrictEqual(odd.find(({ path }) => path === "/srv/odd/pipe")?.type, "fifo")
  }, 120_000)

  it("disk read shows changed files, follows links of the disk, and refuses deleted and special files", async () => {
    assert.strictEqual((await read("/etc/motd")).text, "changed\n")
    assert.deepStrictEqual((await read("/srv/odd/absolute")).path, "/etc/motd")
    assert.strictEqual((await read("/srv/odd/climbing")).text, "changed\n")
    assert.strictEqual((await read("workspace/kept")).text, "kept\n")
    assert.isTrue((await pyro.call(["workspace", "disk", "read", "kept", "/srv/bytes"])).stderr.includes("binary"))
    for (const path of ["/etc/debian_version", "/srv/odd/loop", "/srv/odd/pipe"]) {
      assert.strictEqual((await failure(["workspace", "disk", "read", "kept", path])).code, "file_refused", path)
    }
  }, 180_000)

  const exported = (name: string, ...more: ReadonlyArray<string>) =>
    json<{ readonly virtual_bytes: number; readonly written_bytes: number; readonly replaced: boolean }>(
      ["workspace", "disk", "export", "kept", "--output", path.join(out, name), ...more]
    )
  /** A file of an exported image, read without a mount. */
  const inImage = (image: string, file: string) =>
    execFileSync("debugfs", ["-R", `cat ${file}`, image], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })

  it("a raw export is a sparse, clean file system without temporary files and deleted content", async () => {
    const { replaced, virtual_bytes, written_bytes } = await exported("kept.img")
    const image = path.join(out, "kept.img")
    assert.deepStrictEqual(fs.readdirSync(out), ["kept.img"])
    const { blocks, mode, size } = fs.statSync(image)
    assert.deepStrictEqual([size, mode & 0o777, replaced], [virtual_bytes, 0o600, false])
    assert.strictEqual(size, 512 * 1024 * 1024)
    assert.isBelow(blocks * 512, written_bytes + 1_048_576)
    assert.isBelow(written_bytes, 80_000_000)
    const check = spawnSync("e2fsck", ["-fn", image], { encoding: "utf8" })
    assert.strictEqual(check.status, 0, check.stdout)
    assert.notInclude(check.stdout, "recovering journal")
    assert.strictEqual(inImage(image, "/workspace/kept"), "kept\n")
    assert.strictEqual(inImage(image, "/upper/etc/motd"), "changed\n")
    assert.strictEqual(inImage(image, "/upper/tmp/leftover"), "")
    assert.isFalse(fs.readFileSync(image).includes("the-deleted-secret"), "deleted content is in the image")
  }, 180_000)

  it("a qcow2 export stands alone and has the same files", async () => {
    await exported("kept.qcow2", "--format", "qcow2")
    const image = path.join(out, "kept.qcow2")
    const info = JSON.parse(execFileSync("qemu-img", ["info", "--output=json", image], { encoding: "utf8" }))
    assert.isUndefined(info["backing-filename"])
    assert.include(execFileSync("qemu-img", ["check", image], { encoding: "utf8" }), "No errors were found")
    const raw = path.join(folder, "converted.img")
    execFileSync("qemu-img", ["convert", "-O", "raw", image, raw])
    assert.strictEqual(inImage(raw, "/workspace/kept"), "kept\n")
    fs.rmSync(raw)
  }, 180_000)

  it("an export replaces nothing untold, and refuses names that tools of the host execute", async () => {
    const to = (name: string) => ["workspace", "disk", "export", "kept", "--output", path.join(out, name)]
    fs.writeFileSync(path.join(out, "mine"), "mine")
    for (const name of ["mine", ".envrc", ".git/hooks/post-checkout", "nowhere/kept.img", "directory/"]) {
      assert.include(["export_refused", "invalid_request"], (await failure(to(name))).code, name)
    }
    assert.strictEqual(fs.readFileSync(path.join(out, "mine"), "utf8"), "mine")
    assert.isTrue((await exported("mine", "--overwrite")).replaced)
    fs.rmSync(path.join(out, "mine"))
  }, 180_000)

  it("an export to a full file system leaves nothing and names the missing space", async () => {
    const small = path.join(folder, "small")
    fs.mkdirSync(small)
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "none", small])
    try {
      const { code, message } = await failure(
        ["workspace", "disk", "export", "kept", "--output", path.join(small, "kept.img")]
      )
      assert.strictEqual(code, "no_space", message)
      assert.deepStrictEqual(fs.readdirSync(small), [])
    } finally {
      execFileSync("umount", [small])
    }
  }, 120_000)

  it("a daemon that is killed during an export leaves nothing behind", async () => {
    const before = fs.readdirSync(out)
    const pid = await daemonPid()
    const exporting = call(["workspace", "disk", "export", "kept", "--output", path.join(out, "cut.img")])
    const staged = () => fs.readdirSync(out).some((name) => name.startsWith(".pyro-put-"))
    for (let tries = 0; tries < 3_000 && !staged(); tries++) await new Promise((resolve) => setTimeout(resolve, 2))
    assert.isTrue(staged(), "the export did not begin to write")
    process.kill(pid, "SIGKILL")
    assert.notStrictEqual((await exporting).code, 0)
    for (let tries = 0; tries < 1_000 && staged(); tries++) await new Promise((resolve) => setTimeout(resolve, 10))
    assert.deepStrictEqual(fs.readdirSync(out), before)
    const [kept] = await workspaces()
    assert.strictEqual(kept?.state, "stopped")
    assert.isFalse(fs.existsSync(path.join(state, "workspaces", kept!.id, "compared")))
  }, 120_000)

  it("a workspace starts with the same disk after reads and exports", async () => {
    await step("start", "kept")
    assert.strictEqual(
      await sh("kept", "cat /etc/motd /workspace/kept; test ! -e /etc/debian_version"),
      "changed\nkept"
    )
  }, 120_000)
})
