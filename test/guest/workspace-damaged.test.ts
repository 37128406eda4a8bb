import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation, vmmOf } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { diskDevice } from "../support/vm/vmm.ts"

const pyro = installation("pyro-damaged-")
const { call, create, failure, json, sh, step, folder } = pyro
const seed = path.join(folder, "seed")
const output = path.join(folder, "out.patch")

/** What tells of the tree, and so must not tell of half of it. */
const tellings = (name: string) => [
  ["diff", name],
  ["diff", name, "--stat"],
  ["export", name, "--patch", "--output", output],
  ["export", name, ".", "--output", path.join(folder, "out")],
  ["file", "list", name],
  ["sync", "push", name, seed]
]

const refusedEach = async (name: string, expected: RegExp) => {
  for (const words of tellings(name)) {
    const { message } = await failure(["workspace", ...words])
    assert.match(message, expected, words.join(" "))
  }
  assert.isFalse(fs.existsSync(output))
  assert.isFalse(fs.existsSync(path.join(folder, "out")))
}

describe("a workspace whose tree cannot be seen whole", () => {
  beforeAll(async () => {
    fs.mkdirSync(path.join(seed, "sub"), { recursive: true })
    fs.writeFileSync(path.join(seed, "a"), "a\n")
    fs.writeFileSync(path.join(seed, "sub", "b"), "b\n")
    await create(["--name", "w", "--mem-mib", "256", "--disk-mib", "512", "--seed-path", seed])
  })
  afterAll(pyro.close)

  it("an unmounted workspace is not reported as empty, and stop and start restore it", async () => {
    await sh("w", "echo new > new; cd /; umount -l /workspace")
    await refusedEach("w", /nothing is mounted at \/workspace any more: stop and start/)
    const lost = await failure(["workspace", "file", "write", "w", "note", "--text", "x"])
    assert.match(lost.message, /nothing is mounted at/)
    await step("stop", "w")
    await step("start", "w")
    assert.strictEqual((await call(["workspace", "diff", "w", "--name-only"])).stdout.toString(), "new\n")
  })

  it("a damaged file system is not reported as lost files, and a reset repairs it", async () => {
    const damage =
      `dd if=/dev/zero of=${diskDevice} bs=1M count=200 conv=fsync; echo 3 > /proc/sys/vm/drop_caches; ls -R /workspace`
    await call(["workspace", "exec", "w", "--", "sh", "-c", `echo more >> a; sync; ${damage}`])
    await refusedEach("w", /the file system of the workspace is damaged: reset/)
    await step("reset", "w")
    assert.strictEqual((await call(["workspace", "diff", "w"])).stdout.toString(), "")
    const { entries } = await json<{ readonly entries: ReadonlyArray<{ readonly path: string }> }>(
      ["workspace", "file", "list", "w", "--recursive"]
    )
    assert.deepStrictEqual(entries.map(({ path }) => path), ["a", "sub", "sub/b"])
  })

  it("a workspace whose disk cannot be mounted is not started, and a reset is suggested", async () => {
    await call([
      "workspace",
      "exec",
      "w",
      "--",
      "sh",
      "-c",
      `sync; dd if=/dev/zero of=${diskDevice} bs=1M count=64 conv=fsync`
    ])
    process.kill(await vmmOf(pyro, (await pyro.status("w")).id), "SIGKILL")
    await until("the end of QEMU", async () => (await pyro.status("w")).state === "failed")
    const refused = await failure(["workspace", "start", "w"])
    assert.strictEqual(refused.code, "disk_damaged", JSON.stringify(refused))
    assert.match(refused.message, /pyro rewind w\. .*pyro reset w$/)
    assert.strictEqual((await pyro.status("w")).state, "failed")
    await step("reset", "w")
    assert.strictEqual((await call(["workspace", "diff", "w"])).stdout.toString(), "")
  })
})

interface Deleted {
  readonly deleted: Array<string>
}
interface Forked {
  readonly workspaces: ReadonlyArray<{ readonly id: string }>
}

describe("a record that is damaged", { concurrent: false }, () => {
  const own = installation("pyro-damaged-record-")
  const damage = (file: string) => fs.writeFileSync(file, fs.readFileSync(file, "utf8").slice(0, 20))
  let directory = ""
  beforeAll(async () => {
    const { id } = await own.create(["--name", "w"])
    directory = path.join(own.state, "workspaces", id)
    await own.sh("w", "echo kept > /dev/shm/kept")
    await own.json(["workspace", "snapshot", "create", "w", "s"])
  })
  afterAll(own.close)

  it("the commands of a workspace with a damaged record go on until the record is repaired", async () => {
    const record = path.join(directory, "record.json")
    const before = fs.readFileSync(record)
    const vm = (await own.daemon()).vms.find(({ purpose }) => purpose === "workspace")!
    await own.json(["daemon", "stop"])
    damage(record)
    const listed = (await own.list())[0]!
    assert.strictEqual(listed.id, path.basename(directory))
    assert.strictEqual(listed.state, "failed")
    assert.match(listed.detail ?? "", /record\.json: it is damaged .*or delete the workspace/)
    assert.deepStrictEqual(await own.json(["workspace", "status", listed.id]), listed)
    for (
      const asked of [["exec", listed.id, "--", "true"], ["start", listed.id], ["reset", listed.id], [
        "update",
        listed.id,
        "--name",
        "x"
      ]]
    ) {
      const refused = await own.failure(["workspace", ...asked])
      assert.strictEqual(refused.code, "workspace_not_ready", refused.message)
      assert.include(refused.message, record)
    }
    assert.include((await own.daemon()).vms.map(({ id }) => id), vm.id)
    assert.match((await own.call(["daemon", "logs"])).stdout.toString(), /left alone, its record is damaged: .*\(/)
    await own.json(["daemon", "stop"])
    fs.writeFileSync(record, before)
    assert.strictEqual(await own.sh("w", "cat /dev/shm/kept"), "kept")
  })

  it("a damaged or missing record of a workspace keeps its disk", async () => {
    const record = path.join(directory, "record.json")
    const before = fs.readFileSync(record)
    await own.json(["daemon", "stop"])
    fs.rmSync(record)
    await own.json(["gc"])
    assert.match((await own.list())[0]?.detail ?? "", /record\.json: it is damaged \(it is gone\); repair that file/)
    await own.json(["daemon", "stop"])
    fs.writeFileSync(record, before)
    assert.strictEqual(await own.sh("w", "cat /dev/shm/kept"), "kept")
  })

  it("a snapshot with a damaged record is listed as damaged and can be deleted", async () => {
    const record = path.join(directory, "snapshots", "s", "record.json")
    damage(record)
    const refused = await own.failure(["workspace", "fork", "w", "--snapshot", "s"])
    assert.deepInclude(refused, { code: "state_directory_unusable", path: record })
    assert.match(refused.message, /it is damaged/)
    await own.json(["workspace", "snapshot", "delete", "w", "s"])
    await own.json(["workspace", "snapshot", "create", "w", "s"])
  })

  it("a workspace with a damaged record can be deleted while its disk is in use", async () => {
    const vm = (await own.daemon()).vms.find(({ purpose }) => purpose === "workspace")!
    const other = await own.create(["--name", "other"])
    await own.json(["daemon", "stop"])
    fs.rmSync(path.join(directory, "record.json"))
    fs.mkdirSync(path.join(directory, "record.json", "odd"), { recursive: true })
    assert.deepStrictEqual(await own.json(["workspace", "delete", path.basename(directory)]), {
      deleted: [path.basename(directory)],
      names: [path.basename(directory)]
    })
    assert.isFalse(fs.existsSync(directory))
    assert.notInclude((await own.daemon()).vms.map(({ id }) => id), vm.id)
    assert.isFalse(fs.existsSync(`/proc/${vm.pid}/exe`))
    assert.deepStrictEqual((await own.list()).map(({ id }) => id), [other.id])
    const again = await own.failure(["workspace", "delete", path.basename(directory)])
    assert.strictEqual(again.code, "workspace_not_found")
  })

  it("deleting a fork with a damaged record keeps its origin running", async () => {
    await own.sh("other", "echo alive > /dev/shm/x")
    const { workspaces: [live] } = await own.json<Forked>(["workspace", "fork", "other", "--name", "live"])
    await own.json(["workspace", "snapshot", "create", "other", "s"])
    const { workspaces: [late] } = await own.json<Forked>([
      ...["workspace", "fork", "other", "--snapshot", "s", "--name", "late"]
    ])
    await own.json(["daemon", "stop"])
    const ids = [live!.id, late!.id]
    for (const id of ids) damage(path.join(own.state, "workspaces", id, "record.json"))
    assert.sameMembers((await own.json<Deleted>(["workspace", "delete", ...ids])).deleted, ids)
    assert.strictEqual(await own.sh("other", "cat /dev/shm/x"), "alive")
    assert.deepStrictEqual((await own.daemon()).vms.filter(({ purpose }) => purpose === "workspace").length, 1)
  })

  it("a foreign file or record blocks no other workspace", async () => {
    const other = (await own.list())[0]!
    const folder = (id: string) => path.join(own.state, "workspaces", id)
    await own.json(["daemon", "stop"])
    fs.writeFileSync(folder("ws-aaaaaaaaaa"), "")
    fs.mkdirSync(folder("ws-bbbbbbbbbb"))
    fs.copyFileSync(path.join(folder(other.id), "record.json"), path.join(folder("ws-bbbbbbbbbb"), "record.json"))
    fs.mkdirSync(folder("ws-cccccccccc"))
    const record = fs.readFileSync(path.join(folder(other.id), "record.json"), "utf8")
    const odd = { ...JSON.parse(record), id: "ws-cccccccccc", createdAt: "once" }
    fs.writeFileSync(path.join(folder("ws-cccccccccc"), "record.json"), JSON.stringify(odd))
    fs.writeFileSync(path.join(folder("ws-cccccccccc"), "disk-0"), "")
    const listed = Object.fromEntries((await own.list()).map(({ id, state }) => [id, state]))
    const broken = ["ws-aaaaaaaaaa", "ws-bbbbbbbbbb", "ws-cccccccccc"]
    assert.deepStrictEqual(listed, {
      [other.id]: "running",
      ...Object.fromEntries(broken.map((id) => [id, "failed"]))
    })
    assert.strictEqual(await own.sh("other", "cat /dev/shm/x"), "alive")
    await own.json(["workspace", "delete", ...broken])
    assert.deepStrictEqual((await own.list()).map(({ id }) => id), [other.id])
    for (const id of broken) assert.isFalse(fs.existsSync(folder(id)))
  })

  it("a repaired record whose name was taken gets its id as name", async () => {
    const older = (await own.list())[0]!
    const record = path.join(own.state, "workspaces", older.id, "record.json")
    const before = fs.readFileSync(record)
    await own.json(["daemon", "stop"])
    damage(record)
    const newer = await own.create(["--name", "other"])
    await own.json(["daemon", "stop"])
    fs.writeFileSync(record, before)
    const names = Object.fromEntries((await own.list()).map(({ id, name }) => [id, name]))
    assert.deepStrictEqual(names, { [older.id]: "other", [newer.id]: undefined })
    assert.strictEqual(await own.sh("other", "cat /dev/shm/x"), "alive")
  })
})
