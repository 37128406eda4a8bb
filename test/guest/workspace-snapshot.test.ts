import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { startPyro, until } from "../support/pyro-cli.ts"
import { identityScript, snapshots } from "../support/workspace/snapshots.ts"

const pyro = installation("pyro-snapshot-")
const { call, create, env, failure, json, list, sh, state, status, step } = pyro
afterAll(pyro.close)
const { durable, fork, kinds, logs, snapshot } = snapshots(pyro)

/** A file under /usr and one in /workspace, and their digests as the disk has them. */
const files = "/usr/local/lib/tool /workspace/work"
const makeFiles = `for f in ${files}; do head -c 3000000 /dev/urandom > $f; done; sync; sha256sum ${files}`
const readFiles = `sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum ${files}`

describe("a fork", () => {
  it("a fork has the memory, disk and processes of its origin and its own identity", async () => {
    await create(["--name", "a", "--label", "task=1"])
    const digests = await sh("a", makeFiles)
    await sh("a", "echo temporary > /tmp/t; echo shared > /dev/shm/s; echo '10.9.8.7 friend' >> /etc/hosts")
    const before = await sh("a", identityScript)
    // A process with something that only its memory knows, and a caller who waits for it.
    const waiting = startPyro([
      "workspace",
      "exec",
      "a",
      "--",
      "sh",
      "-c",
      `
      s=$(head -c 16 /dev/urandom | od -An -tx1); echo began; echo "$s" > /tmp/secret
      while [ ! -e /workspace/go ]; do sleep 0.05; done; echo "end $s"`
    ], { env })
    await until("it has begun", () => waiting.stdoutSoFar().includes("began"))
    await until(
      "the secret is there",
      async () => (await call(["workspace", "exec", "a", "--", "test", "-s", "/tmp/secret"])).code === 0
    )
    const running = (await logs("a")).find(({ outcome }) => outcome === "running")!

    const [child] = await fork("a")
    assert.deepStrictEqual([child!.name, child!.state, child!.labels, child!.forked_from], [
      "a-1",
      "running",
      { task: "1" },
      (await status("a")).id
    ])
    assert.strictEqual(await sh("a-1", "cat /tmp/t /dev/shm/s"), "temporary\nshared")
    assert.strictEqual(await sh("a-1", readFiles), digests)
    assert.strictEqual(
      await sh("a-1", "hostname; cat /etc/hostname; grep -c friend /etc/hosts; grep -c 'a-1' /etc/hosts"),
      "a-1\na-1\n1\n1"
    )
    const after = await sh("a-1", identityScript)
    for (const [index, line] of before.split("\n").entries()) assert.notStrictEqual(after.split("\n")[index], line)
    assert.strictEqual(await sh("a", identityScript.replace(/^head[^;]*;/, "")), before.split("\n").slice(1).join("\n"))
    const asked = Date.now()
    const clock = Number(await sh("a-1", "date +%s%3N"))
    assert.isTrue(clock > asked - 5_000 && clock < Date.now() + 5_000, `${clock - asked}`)

    // The command is listed as inherited, with what it had printed, and ends in each by itself.
    const [inherited] = await logs("a-1")
    assert.deepStrictEqual([inherited!.exec_id, inherited!.inherited, inherited!.outcome], [
      running.exec_id,
      true,
      "running"
    ])
    const secret = await sh("a", "cat /tmp/secret")
    await sh("a-1", "touch go")
    const ended = await call(["workspace", "exec", "a-1", "--exec-id", running.exec_id])
    assert.deepStrictEqual([ended.code, ended.stdout.toString()], [
      0,
      `began\nend  ${secret}\n`
    ])
    assert.strictEqual((await logs("a")).find(({ exec_id }) => exec_id === running.exec_id)!.outcome, "running")
    await sh("a", "touch go")
    const own = await waiting.finished
    assert.deepStrictEqual([own.code, own.stdout.toString()], [0, ended.stdout.toString()])

    // What one does the other does not see, and what becomes of one is nothing to the other.
    await sh("a", "echo a > /workspace/who; rm /usr/local/lib/tool; sync")
    assert.strictEqual(await sh("a-1", `test ! -e who; ${readFiles}`), digests)
    await json(["workspace", "delete", "a"])
    await step("stop", "a-1")
    await step("start", "a-1")
    assert.strictEqual(await sh("a-1", readFiles), digests)
    await step("reset", "a-1")
    assert.strictEqual(await sh("a-1", "ls -A /workspace"), "")
    await json(["workspace", "delete", "a-1"])
  })

  it("cancel ends a running command in the fork only", async () => {
    await create(["--name", "loop"])
    const { exec_id: id } = await json<{ readonly exec_id: string }>(
      ["workspace", "exec", "loop", "--detach", "--script", "while true; do echo on; sleep 0.1; done"]
    )
    const [one, two] = await fork("loop", "--name", "k", "--count", "2")
    assert.deepStrictEqual([one!.name, two!.name], ["k-1", "k-2"])
    await json(["workspace", "cancel", "k-1", id])
    const outcome = async (name: string) => (await logs(name)).find(({ exec_id }) => exec_id === id)!.outcome
    assert.deepStrictEqual([await outcome("k-1"), await outcome("k-2"), await outcome("loop")], [
      "signaled",
      "running",
      "running"
    ])
    assert.strictEqual((await failure(["workspace", "fork", "loop", "--name", "k-2"])).code, "workspace_name_taken")
    assert.strictEqual(
      (await failure(["workspace", "fork", "loop", "--count", "64"])).code.match(/admission_refused|no_space/)?.length,
      1
    )
    assert.strictEqual((await list()).length, 3)
    await json(["workspace", "delete", "--all"])
  })

  it("a disk-only fork of a running workspace has the files on its disk", async () => {
    await create(["--name", "plain"])
    // Not synced: what is only in the guest's memory of its files goes along, and what is in memory alone does not.
    await sh("plain", "echo here > /usr/local/lib/tool; echo here > /workspace/work; echo gone > /dev/shm/page")
    const { exec_id: id } = await json<{ readonly exec_id: string }>(
      ["workspace", "exec", "plain", "--detach", "--", "sleep", "infinity"]
    )
    const [child] = await fork("plain", "--disk-only")
    assert.strictEqual(child!.state, "running")
    assert.strictEqual(
      await sh("plain-1", "cat /usr/local/lib/tool /workspace/work; ls /dev/shm; pgrep -c -x sleep || true"),
      "here\nhere\n0"
    )
    assert.deepStrictEqual((await logs("plain-1")).filter(({ exec_id }) => exec_id === id), [])
    assert.strictEqual(await sh("plain", "cat /dev/shm/page; pgrep -c -x sleep"), "gone\n1")
    await json(["workspace", "delete", "plain", "plain-1"])
  })
})

describe("a snapshot", () => {
  it("reset to a snapshot works repeatedly, after a killed daemon and without the cache", async () => {
    await create(["--name", "b"])
    const digests = await sh("b", makeFiles)
    const { exec_id: id } = await json<{ readonly exec_id: string }>([
      "workspace",
      "exec",
      "b",
      "--detach",
      "--script",
      "n=$(od -An -N4 -tu4 /dev/urandom); while true; do echo $n > /tmp/n.new; mv /tmp/n.new /tmp/n; sleep 0.05; done"
    ])
    await until("it counts", async () => (await call(["workspace", "exec", "b", "--", "cat", "/tmp/n"])).code === 0)
    const number = await sh("b", "cat /tmp/n")
    const taken = await snapshot("b", "green")
    assert.deepStrictEqual([taken.name, taken.kind, taken.running_commands], ["green", "memory", 1])
    assert.isAbove(taken.pause_ms!, 0)
    await durable("b", "green")
    assert.strictEqual((await failure(["workspace", "snapshot", "create", "b", "green"])).code, "snapshot_exists")
    const missing = await failure(["workspace", "reset", "b", "--snapshot", "gren"])
    assert.strictEqual(missing.code, "snapshot_not_found")
    // A reset discards work: no similar name is offered for it.
    assert.notInclude(missing.message, "Did you mean")

    for (const kill of [false, true]) {
      await sh("b", "rm -f /usr/local/lib/tool /workspace/work; echo dirt > /workspace/dirt; rm -f /tmp/n; sync")
      await json(["workspace", "cancel", "b", id])
      if (kill) process.kill(await pyro.daemonPid(), "SIGKILL")
      const { generation } = await status("b")
      await json(["workspace", "reset", "b", "--snapshot", "gr"])
      assert.strictEqual((await status("b")).generation, generation + 1)
      assert.strictEqual(await sh("b", `test ! -e /workspace/dirt; ${readFiles}`), digests)
      assert.strictEqual(await sh("b", "rm -f /tmp/n; until [ -s /tmp/n ]; do sleep 0.05; done; cat /tmp/n"), number)
      assert.deepStrictEqual((await logs("b")).filter(({ inherited }) => inherited).map(({ exec_id }) => exec_id), [id])
    }
    const [other] = await fork("b", "--snapshot", "gree", "--name", "other")
    assert.strictEqual(await sh("other", readFiles), digests)
    assert.strictEqual(await sh("other", "cat /tmp/n"), number)
    // It is the fork's no more than the workspace's.
    assert.deepStrictEqual(await kinds("other"), {})
    await json(["workspace", "snapshot", "delete", "b", "green"])
    assert.deepStrictEqual(await kinds("b"), {})
    for (const name of ["b", "other"]) {
      await step("stop", name)
      await step("start", name)
      assert.strictEqual(await sh(name, readFiles), digests)
    }
    assert.isDefined(other!.id)
    await json(["workspace", "delete", "--all"])
  })

  it("a snapshot of a stopped workspace has its files only", async () => {
    await create(["--name", "c"])
    const digests = await sh("c", makeFiles)
    await step("stop", "c")
    assert.strictEqual((await snapshot("c", "still")).kind, "disk")
    const { warnings } = await json<{ readonly warnings: ReadonlyArray<{ readonly message: string }> }>([
      "workspace",
      "fork",
      "c",
      "--name",
      "d"
    ])
    assert.match(warnings.map(({ message }) => message).join(), /the files alone/)
    assert.strictEqual((await status("c")).state, "stopped")
    assert.strictEqual(await sh("d", readFiles), digests)
    await step("start", "c")
    await sh("c", "rm /workspace/work; sync")
    await json(["workspace", "reset", "c", "--snapshot", "still"])
    assert.strictEqual(await sh("c", readFiles), digests)
    await json(["workspace", "delete", "--all"])
  })

  it("a snapshot of another VMM is refused with the differences, and its files can be used", async () => {
    const { id } = await create(["--name", "e"])
    const digests = await sh("e", makeFiles)
    await snapshot("e", "old")
    await durable("e", "old")
    const file = path.join(state, "workspaces", id, "snapshots", "old", "record.json")
    fs.writeFileSync(file, fs.readFileSync(file, "utf8").replace(/"qemu":"[^"]*"/, "\"qemu\":\"6.6.6 (elsewhere)\""))
    await sh("e", "rm /workspace/work; sync")
    for (const args of [["reset", "e", "--snapshot", "old"], ["fork", "e", "--snapshot", "old"]]) {
      const refused = await failure(["workspace", ...args])
      assert.strictEqual(refused.code, "snapshot_mismatch")
      assert.match((refused["differences"] as ReadonlyArray<string>).join(), /6\.6\.6 \(elsewhere\)/)
    }
    assert.strictEqual((await list()).length, 1)
    await fork("e", "--snapshot", "old", "--disk-only", "--name", "f")
    await json(["workspace", "reset", "e", "--snapshot", "old", "--disk-only"])
    for (const name of ["e", "f"]) assert.strictEqual(await sh(name, readFiles), digests)
    await json(["workspace", "delete", "--all"])
  })

  it("two concurrent snapshots of one workspace are two snapshots", async () => {
    await create(["--name", "g"])
    await sh("g", "echo here > f")
    await Promise.all([snapshot("g", "one"), snapshot("g", "two")])
    assert.deepStrictEqual(await kinds("g"), { one: "memory", two: "memory" })
    await json(["workspace", "delete", "g"])
  })
})
