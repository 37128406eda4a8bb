import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { checkDisk } from "../support/disk/workspace-disk.ts"
import { installation, vmmOf } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { lapsed } from "../support/until.ts"
import { vmmName } from "../support/vm/vmm.ts"

const pyro = installation("pyro-life-")
const { call, create, failure, folder, json, list, logs, sh, state, status, step } = pyro
afterAll(pyro.close)

const idsOf = async (...args: ReadonlyArray<string>) => (await list(...args)).map(({ id }) => id)

/** A file under /usr and one in /workspace, and their digests. */
const dirt = "/usr/local/lib/tool /workspace/work"
const makeDirt = `for f in ${dirt}; do head -c 3000000 /dev/urandom > $f; done; sha256sum ${dirt}`
const readDirt = `sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum ${dirt}`

describe("create, list, status, update, delete", { concurrent: false }, () => {
  it("create, list and status work by name, id and labels, last used first", async () => {
    const a = await create(["--name", "a", "--label", "task=1", "--label", "team=x"])
    const b = await create(["--name", "b", "--label", "task=2"])
    assert.match(a.id, /^ws-[0-9a-f]{10}$/)
    assert.deepStrictEqual([a.name, a.state, a.labels, a.generation], ["a", "running", { task: "1", team: "x" }, 1])
    assert.deepStrictEqual(await idsOf(), [b.id, a.id])
    assert.strictEqual(await sh("a", "hostname; pwd"), "a\n/workspace")
    assert.deepStrictEqual(await idsOf(), [a.id, b.id])
    assert.deepStrictEqual(await idsOf("--label", "task=2"), [b.id])
    assert.deepStrictEqual(await idsOf("--label", "task=1", "--label", "team=y"), [])
    assert.strictEqual((await status("a")).id, a.id)
    assert.strictEqual((await status(a.id)).name, "a")
  })

  it("commands and writes count as activity, reads do not", async () => {
    const last = async () => (await status("b")).last_activity_at
    await call(["workspace", "file", "write", "b", "note", "--text", "one"])
    const written = await last()
    for (
      const looking of [
        ["status", "b"],
        ["list"],
        ["logs", "b"],
        ["file", "list", "b"],
        ["file", "read", "b", "note"],
        [
          "diff",
          "b"
        ]
      ]
    ) {
      assert.strictEqual((await call(["workspace", ...looking])).code, 0, looking.join(" "))
    }
    assert.strictEqual(await last(), written)
    assert.strictEqual(
      (await call(["workspace", "file", "write", "b", "note2", "--text", "two"])).code,
      0
    )
    const rewritten = await last()
    assert.isAbove(Date.parse(rewritten), Date.parse(written))
    await sh("b", "true")
    assert.isAbove(Date.parse(await last()), Date.parse(rewritten))
  })

  it("create refuses a name that is taken, invalid, or an id", async () => {
    for (
      const [words, wrong] of [
        [
          ["create", "--repo-url", "/nowhere", "--seed-path", "/"],
          { code: "invalid_request", field: "--repo-url" }
        ],
        [["create", "--repo-ref", "main"], { code: "invalid_request", field: "--repo-ref" }],
        [["reset", "a", "--disk-only"], { code: "invalid_request", field: "--disk-only" }],
        [
          ["file", "write", "a", "new/", "--text", "x"],
          { code: "file_refused", path: "new", reason: "is_a_directory" }
        ]
      ] as const
    ) assert.deepInclude(await failure(["workspace", ...words]), wrong, words.join(" "))
    const taken = await failure(["workspace", "create", "--name", "a"])
    assert.strictEqual(taken.code, "workspace_name_taken")
    for (const odd of ["", "-x", "a b", "a/b", "..", "ä", "a\n", "x".repeat(64), "ws-0123456789", "$(reboot)"]) {
      const { code, stderr } = await call(["workspace", "create", "--name", odd])
      assert.strictEqual(code, 2, `${JSON.stringify(odd)}: ${stderr}`)
    }
    assert.strictEqual((await failure(["workspace", "update", "b", "--name", "a"])).code, "workspace_name_taken")
    const unknown = await failure(["workspace", "status", "aa"])
    assert.strictEqual(unknown.code, "workspace_not_found")
    assert.strictEqual((await list()).length, 2)
  })

  it("update changes the given fields only", async () => {
    assert.deepInclude(await failure(["workspace", "update", "a"]), { code: "invalid_request", field: "--name" })
    await json(["workspace", "update", "a", "--label", "task=9", "--label", "new=1", "--clear-label", "team"])
    assert.deepStrictEqual((await status("a")).labels, { task: "9", new: "1" })
    await json(["workspace", "update", "a", "--name", "c", "--ttl-seconds", "3600"])
    const { expires_at, id, labels, last_activity_at } = await status("c")
    assert.deepStrictEqual(labels, { task: "9", new: "1" })
    assert.strictEqual(Date.parse(expires_at!) - Date.parse(last_activity_at), 3_600_000)
    assert.strictEqual(await sh("c", "hostname; cat /etc/hostname; grep -c ' c$' /etc/hosts"), "c\nc\n1")
    await json(["workspace", "rename", "c", "a"])
    assert.strictEqual(await sh("a", "hostname; bash -c 'prompt=\\\\h; echo ${prompt@P}'"), "a\na")
    await json(["workspace", "update", id, "--ttl-seconds", "0"])
    assert.isUndefined((await status("a")).expires_at)
    assert.strictEqual((await failure(["workspace", "status", "c"])).code, "workspace_not_found")
  })

  it("an expired workspace is deleted, unless it is in use", async () => {
    const { id } = await create([])
    const { exec_id } = await json<{ readonly exec_id: string }>(
      ["workspace", "exec", id, "--detach", "--", "sleep", "1000"]
    )
    await json(["workspace", "update", id, "--ttl-seconds", "2"])
    // Only the command keeps it: looking is no activity.
    await lapsed(5_000)
    assert.strictEqual((await status(id)).state, "running")
    await json(["workspace", "cancel", id, exec_id])
    await until("its expiry", async () => !(await idsOf()).includes(id))
    assert.isFalse(fs.existsSync(path.join(state, "workspaces", id)))
  })

  it("delete removes all of several workspaces, or none if one is unknown", async () => {
    assert.strictEqual((await failure(["workspace", "delete", "b", "nobody"])).code, "workspace_not_found")
    assert.strictEqual((await list()).length, 2)
    const [a, b] = [await status("a"), await status("b")]
    const { deleted } = await json<{ readonly deleted: ReadonlyArray<string> }>(["workspace", "delete", "a", b.id, "b"])
    assert.sameMembers([...deleted], [a.id, b.id])
    await create([])
    await json(["workspace", "delete", "--all"])
    assert.deepStrictEqual(await list(), [])
    assert.deepStrictEqual(fs.readdirSync(path.join(state, "workspaces")), [])
  })
})

describe("stop, start and reset", { concurrent: false }, () => {
  let digests = ""
  let id = ""

  it("a stopped workspace says so, and start continues with its disk", async () => {
    id = (await create(["--name", "disk"])).id
    digests = await sh("disk", makeDirt)
    assert.strictEqual((await step("stop", "disk")).state, "stopped")
    assert.strictEqual((await step("stop", "disk")).state, "stopped")
    checkDisk(state, id, folder)
    const refused = await failure(["workspace", "exec", "disk", "--", "true"])
    assert.deepInclude(refused, { code: "workspace_not_ready", state: "stopped" })
    const started = await step("start", "disk")
    assert.deepStrictEqual([started.id, started.state, started.generation], [id, "running", 2])
    assert.strictEqual((await step("start", "disk")).generation, 2)
    assert.strictEqual(await sh("disk", readDirt), digests)
  })

  it("status reports a killed VMM, and start repairs the workspace", async () => {
    // What was written is on the disk once it was synced; that of the last moments may not be.
    await sh("disk", "sync")
    process.kill(await vmmOf(pyro, id), "SIGKILL")
    await until("its failure", async () => (await status("disk")).state === "failed")
    assert.match((await status("disk")).detail ?? "", new RegExp(`${vmmName}|SIGKILL|signal`, "i"))
    const refused = await failure(["workspace", "exec", "disk", "--", "true"])
    assert.deepInclude(refused, { code: "workspace_not_ready", state: "failed" })
    checkDisk(state, id, folder)
    assert.strictEqual((await step("start", "disk")).state, "running")
    assert.strictEqual(await sh("disk", readDirt), digests)
    assert.strictEqual((await logs("disk")).every(({ outcome }) => outcome === "exited"), true)
  })

  it("reset returns a workspace to the state after create, in place", async () => {
    const who = "cat /etc/machine-id /proc/sys/kernel/random/boot_id; head -c 16 /dev/urandom | od -An -tx1"
    const before = (await sh("disk", who)).split("\n")
    // What a command needs to start is gone with /usr; the agent does not mind.
    await call(["workspace", "exec", "disk", "--", "sh", "-c", "mkdir /new; rm -rf /usr /workspace/* /workspace; true"])
    assert.notStrictEqual((await call(["workspace", "exec", "disk", "--", "ls"])).code, 0)
    const reset = await step("reset", "disk")
    assert.deepStrictEqual([reset.id, reset.name, reset.state], [id, "disk", "running"])
    assert.deepStrictEqual(await logs("disk"), [])
    const after = (await sh("disk", who)).split("\n")
    after.forEach((line, index) => assert.notStrictEqual(line, before[index]))
    assert.strictEqual(
      await sh("disk", "ls -d /new 2>/dev/null || ls -A /workspace; test -x /usr/bin/env && pwd"),
      "/workspace"
    )
    assert.notInclude(await sh("disk", "ls /usr/local/lib"), "tool")
    assert.strictEqual((await logs("disk")).length, 3)
  })

  it("reset repairs a workspace whose VMM was killed, or that is stopped", async () => {
    await sh("disk", "echo dirt > /workspace/dirt; sync")
    process.kill(await vmmOf(pyro, id), "SIGKILL")
    await until("its failure", async () => (await status("disk")).state === "failed")
    assert.strictEqual((await step("reset", "disk")).state, "running")
    assert.strictEqual(await sh("disk", "ls -A /workspace"), "")
    await sh("disk", "echo dirt > /workspace/dirt")
    await step("stop", "disk")
    assert.strictEqual((await step("reset", "disk")).state, "running")
    assert.strictEqual(await sh("disk", "ls -A /workspace"), "")
    await until(
      "one disk",
      () => fs.readdirSync(path.join(state, "workspaces", id)).filter((name) => /^disk-/.test(name)).length === 1
    )
  })
})
