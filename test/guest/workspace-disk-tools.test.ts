import { execFileSync, spawnSync } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { lapsed } from "../support/until.ts"

const pyro = installation("pyro-disk-tools-")
const { call, close, create, daemonPid, failure, folder, json, list: workspaces, sh, state, step } = pyro
afterAll(close)

const out = path.join(folder, "out")
fs.mkdirSync(out)

interface Listed {
  readonly entries: ReadonlyArray<{ readonly path: string }>
}
interface Read {
  readonly path: string
  readonly text?: string
}

/** Digest of /srv/large in the guest. */
let large = ""

describe("the disk of a stopped workspace", { concurrent: false }, () => {
  beforeAll(async () => {
    await create(["--name", "kept", "--mem-mib", "256", "--disk-mib", "16384", "--allow-host", "example.com"])
    large = await sh(
      "kept",
      [
        "echo changed > /etc/motd",
        "rm /etc/debian_version",
        "mkdir -p /srv/odd && cd /srv/odd",
        "printf one > \"$(printf 'a\\033[2J\\377\\nb')\"",
        "ln -s /etc/motd absolute; mkfifo pipe",
        "echo kept > /workspace/kept",
        "echo temporary > /tmp/leftover; mkfifo /tmp/pipe; mkdir -p /tmp/d/d && ln -s /etc /tmp/d/d/link",
        // Deleted content lies beside files that remain, in single blocks and in large extents.
        "for n in $(seq 40); do yes the-deleted-secret | head -c 4000 > gone-$n; echo remains > remains-$n; done",
        "yes the-deleted-secret | head -c 2000000 > /srv/gone; sync; rm /srv/gone gone-*",
        "head -c 48000000 /dev/urandom > /srv/large; sha256sum < /srv/large"
      ].join("\n")
    )
  }, 300_000)

  it("disk list refuses a running workspace, and names the command that stops the workspace", async () => {
    const refused = await failure(["workspace", "disk", "list", "kept"])
    assert.deepInclude(refused, { code: "workspace_not_ready", state: "running" })
    assert.match(refused.message, /pyro stop kept/)
    await step("stop", "kept")
  }, 120_000)

  it("disk list and disk read show environment, changes and /workspace as one tree", async () => {
    const listed = await json<Listed>(["workspace", "disk", "list", "kept", "--recursive", "--depth", "2"])
    const paths = listed.entries.map(({ path }) => path)
    assert.includeMembers(paths, ["/etc/motd", "/srv/large", "/srv/odd", "/usr/bin", "/workspace/kept"])
    assert.notInclude(paths, "/etc/debian_version")
    const found = await json<Read>(["workspace", "disk", "read", "kept", "/srv/odd/absolute"])
    assert.deepStrictEqual([found.path, found.text], ["/srv/odd/absolute", "changed\n"])
    const gone = await failure(["workspace", "disk", "read", "kept", "/etc/debian_version"])
    assert.strictEqual(gone.code, "file_refused")
  }, 180_000)

  it(
    "file list, read and stat reach any path of the disk, and follow links as programs of the workspace do",
    async () => {
      const listed = await json<Listed>(["file", "list", "kept", "/srv", "--recursive"])
      assert.includeMembers(listed.entries.map(({ path }) => path), ["/srv/large", "/srv/odd/absolute"])
      const found = await json<Read>(["file", "read", "kept", "/srv/odd/absolute"])
      assert.deepStrictEqual([found.path, found.text], ["/srv/odd/absolute", "changed\n"])
      assert.strictEqual((await json<Read>(["file", "read", "kept", "/workspace/kept"])).path, "kept")
      const stat = await json<{ readonly type: string }>(["file", "stat", "kept", "/srv/odd/absolute", "--no-follow"])
      assert.strictEqual(stat.type, "symlink")
      const refused = await failure(["file", "write", "kept", "/etc/motd", "--text", "x"])
      assert.strictEqual(refused.code, "workspace_not_ready")
    },
    180_000
  )

  const exportTo = (
    name: string,
    ...more: ReadonlyArray<string>
  ) => ["workspace", "disk", "export", "kept", "--output", path.join(out, name), ...more]
  const exported = (name: string, ...more: ReadonlyArray<string>) =>
    json<{ readonly virtual_bytes: number; readonly written_bytes: number; readonly replaced: boolean }>(
      exportTo(name, ...more)
    )
  /** A file of an exported image, read without a mount. */
  const inImage = (image: string, file: string) =>
    execFileSync("debugfs", ["-R", `cat ${file}`, image], {
      maxBuffer: 100_000_000,
      stdio: ["ignore", "pipe", "ignore"]
    })

  it("a qcow2 export of a default disk stands alone, without deleted content and pyro's own files", async () => {
    const { virtual_bytes, written_bytes } = await exported("kept.qcow2", "--format", "qcow2")
    const image = path.join(out, "kept.qcow2")
    assert.deepStrictEqual([virtual_bytes, fs.statSync(image).size], [16 * 1024 ** 3, written_bytes])
    assert.isFalse(fs.readFileSync(image).includes("the-deleted-secret"), "deleted content is in the image")
    const info = JSON.parse(execFileSync("qemu-img", ["info", "--output=json", image], { encoding: "utf8" }))
    assert.isUndefined(info["backing-filename"])
    assert.include(execFileSync("qemu-img", ["check", image], { encoding: "utf8" }), "No errors were found")
    const raw = path.join(folder, "converted.img")
    execFileSync("qemu-img", ["convert", "-O", "raw", image, raw])
    const check = spawnSync("e2fsck", ["-fn", raw], { encoding: "utf8" })
    assert.strictEqual(check.status, 0, check.stdout)
    assert.notInclude(check.stdout, "recovering journal")
    const text = (file: string) => inImage(raw, file).toString()
    assert.deepStrictEqual(
      [
        "/workspace/kept",
        "/upper/etc/motd",
        "/upper/srv/odd/remains-40",
        "/upper/tmp/leftover",
        "/upper/etc/resolv.conf"
      ]
        .map(text),
      ["kept\n", "changed\n", "remains\n", "", ""]
    )
    assert.strictEqual(`${createHash("sha256").update(inImage(raw, "/upper/srv/large")).digest("hex")}  -`, large)
    fs.rmSync(raw)
  }, 180_000)

  it("an export replaces nothing untold, and refuses names that tools of the host execute", async () => {
    fs.writeFileSync(path.join(out, "kept.img"), "mine")
    for (const name of ["kept.img", ".envrc", ".git/hooks/post-checkout", "kept.qcow2/kept.img", "directory/"]) {
      assert.include(["export_refused", "invalid_request"], (await failure(exportTo(name))).code, name)
    }
    assert.strictEqual(fs.readFileSync(path.join(out, "kept.img"), "utf8"), "mine")
  }, 180_000)

  it("a raw export is a sparse file with the same bytes", async () => {
    const { replaced, virtual_bytes, written_bytes } = await exported("kept.img", "--overwrite")
    const image = path.join(out, "kept.img")
    assert.deepStrictEqual(fs.readdirSync(out), ["kept.img", "kept.qcow2"])
    const { blocks, mode, size } = fs.statSync(image)
    assert.deepStrictEqual([size, mode & 0o777, replaced], [virtual_bytes, 0o600, true])
    assert.isBelow(blocks * 512, written_bytes + 1_048_576)
    assert.isBelow(written_bytes, 80_000_000)
    // Each export replays the journal by itself: the data is the same, and some metadata has other times.
    assert.strictEqual(`${createHash("sha256").update(inImage(image, "/upper/srv/large")).digest("hex")}  -`, large)
  }, 180_000)

  it("an export to a full file system leaves nothing and names the missing space", async () => {
    const small = path.join(folder, "small")
    fs.mkdirSync(small)
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=8m", "none", small])
    // The lab runs this test alone, as root.
    await step("stop", "kept")
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
    const staged = () => fs.readdirSync(out).some((name) => name.startsWith(".pyro-put-"))
    /** Kills the daemon once it writes the image. The first file only shows that the image can be made there. */
    const exportAndKill = async () => {
      const pid = await daemonPid()
      const files = new Set<string>()
      const watcher = fs.watch(out, (_, name) => {
        if (name?.startsWith(".pyro-put-") !== true || files.has(name)) return
        if (files.add(name).size === 2) process.kill(pid, "SIGKILL")
      })
      const { code } = await call(exportTo("cut.img"))
      watcher.close()
      assert.strictEqual(files.size, 2, "the export did not begin to write")
      return code
    }
    // On a busy host, an export may end before the signal.
    let code: number | null = 0
    for (let tries = 0; tries < 5 && code === 0; tries++) {
      fs.rmSync(path.join(out, "cut.img"), { force: true })
      code = await exportAndKill()
    }
    assert.notStrictEqual(code, 0)
    for (let tries = 0; tries < 1_000 && staged(); tries++) await lapsed(10)
    assert.deepStrictEqual(fs.readdirSync(out), before)
    const [kept] = await workspaces()
    assert.strictEqual(kept?.state, "stopped")
    assert.isFalse(fs.existsSync(path.join(state, "workspaces", kept!.id, "compared")))
  }, 240_000)

  it("a workspace starts with the same disk after reads and exports", async () => {
    await step("start", "kept")
    assert.strictEqual(
      await sh("kept", "cat /etc/motd /workspace/kept; test ! -e /etc/debian_version"),
      "changed\nkept"
    )
  }, 120_000)
})
