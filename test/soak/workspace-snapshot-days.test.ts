import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { unmount } from "../support/files/mounts.ts"
import { installation, vmmOf } from "../support/installation.ts"
import { emptyCache, linkCache } from "../support/own-cache.ts"
import { temporaryFolder, until } from "../support/pyro-cli.ts"
import { snapshots } from "../support/workspace/snapshots.ts"

const place = temporaryFolder("pyro-days-")
const cache = path.join(place.folder, "cache")
const mountPoint = path.join(place.folder, "disk")
const state = path.join(mountPoint, "state")
const pyro = installation("pyro-days-", { env: { PYRO_CACHE_DIR: cache, PYRO_STATE_DIR: state } })
const { call, create, failure, json, list, sh, status, step } = pyro
const { durable, fork, kinds, snapshot } = snapshots(pyro)

const detach = async (name: string, script: string) =>
  (await json<{ readonly exec_id: string }>(["workspace", "exec", name, "--detach", "--script", script])).exec_id

const succeeds = (name: string, ...command: ReadonlyArray<string>) => async () =>
  (await call(["workspace", "exec", name, "--", ...command])).code === 0

describe("on bad days", () => {
  beforeAll(async () => {
    linkCache(cache)
    fs.mkdirSync(mountPoint)
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=3g,mode=0700", "tmpfs", mountPoint])
  })
  afterAll(async () => {
    await pyro.close()
    await unmount(mountPoint)
    place.remove()
  })

  it("a web server that is forked three times is three servers", async () => {
    await create(["--name", "web"])
    await sh("web", "echo origin > /workspace/index.html")
    await detach("web", "exec python3 -m http.server 8000 --bind 127.0.0.1")
    const get = "curl -s --retry 50 --retry-delay 1 --retry-connrefused http://127.0.0.1:8000/index.html"
    assert.strictEqual(await sh("web", get), "origin")
    await fork("web", "--count", "3", "--name", "server")
    const names = ["server-1", "server-2", "server-3"]
    for (const name of names) await sh(name, `echo ${name} > /workspace/index.html`)
    for (const name of names) assert.strictEqual(await sh(name, get), name)
    assert.strictEqual(await sh("web", get), "origin")
    await json(["workspace", "delete", ...names, "web"])
  })

  it("a fork during heavy writes is consistent", async () => {
    await create(["--name", "busy", "--mem-mib", "512", "--disk-mib", "2048"])
    const database = await detach(
      "busy",
      `exec python3 -c '
import sqlite3
db = sqlite3.connect("/workspace/db", isolation_level=None)
db.execute("create table if not exists t (n integer primary key, v text)")
n = 0
while True:
    db.execute("begin")
    for _ in range(20):
        n += 1
        db.execute("insert into t values (?, ?)", (n, "x" * 500))
    db.execute("commit")'`
    )
    // As a compiler does: a temporary file, a name, a list of what is whole; what goes is taken off the list first.
    const compiler = await detach(
      "busy",
      "mkdir -p /workspace/out; n=0; while true; do n=$((n+1)); head -c 200000 /dev/urandom > /workspace/out/t; " +
        "s=$(sha256sum < /workspace/out/t | cut -c1-64); mv /workspace/out/t /workspace/out/$s; echo $s >> /workspace/out.list; " +
        "[ $((n % 40)) -ne 0 ] || { : > /workspace/out.list; rm -rf /workspace/out/*; }; done"
    )
    await until("both write", succeeds("busy", "sh", "-c", "test -s /workspace/out.list -a -s /workspace/db"))
    // The writers of a copy of memory go on in it. They are ended at once, so that they keep no core from the next copy.
    const quiet = async (name: string) => {
      for (const id of [database, compiler]) await json(["workspace", "cancel", name, id])
    }
    await fork("busy", "--name", "f1")
    await quiet("f1")
    await snapshot("busy", "s")
    await fork("busy", "--snapshot", "s", "--name", "f2")
    await quiet("f2")
    await fork("busy", "--snapshot", "s", "--disk-only", "--name", "f3")
    await json(["workspace", "stop", "busy"])
    for (const name of ["f1", "f2", "f3"]) {
      // What the writers wrote is looked at through the disk.
      await sh(name, "sync; echo 3 > /proc/sys/vm/drop_caches")
      const check =
        "import sqlite3; db = sqlite3.connect('/workspace/db'); print(db.execute('pragma integrity_check').fetchone()[0], " +
        "db.execute('select count(*) = max(n) and count(*) % 20 = 0 and count(*) > 0 from t').fetchone()[0])"
      assert.strictEqual(await sh(name, `python3 -c "${check}"`), "ok 1", name)
      if (name !== "f3") {
        await sh(
          name,
          "cd /workspace/out; head -n -1 ../out.list | while read s; do [ $(sha256sum < $s | cut -c1-64) = $s ]; done"
        )
      }
    }
    await json(["workspace", "delete", "busy", "f1", "f2", "f3"])
  })

  // More than the layers at which pyro merges (PYRO_FLATTEN_AT).
  it("eighteen forks of forks have the files of all their ancestors", async () => {
    await create(["--name", "g0"])
    await sh("g0", "head -c 100000 /dev/urandom > /usr/local/0; echo 0 > /dev/shm/seen; sync")
    for (let number = 1; number <= 18; number++) {
      await fork(`g${number - 1}`, "--name", `g${number}`)
      await json(["workspace", "delete", `g${number - 1}`])
      await sh(
        `g${number}`,
        `head -c 100000 /dev/urandom > /usr/local/${number}; echo ${number} >> /dev/shm/seen; sync; ` +
          "cd /usr/local; find . -maxdepth 1 -type f -name '[0-9]*' | sort | xargs sha256sum > /workspace/sums"
      )
    }
    assert.strictEqual(
      await sh("g18", "tr '\\n' ' ' < /dev/shm/seen"),
      Array.from({ length: 19 }, (_, n) => n).join(" ")
    )
    const check =
      "sync; echo 3 > /proc/sys/vm/drop_caches; cd /usr/local; wc -l < /workspace/sums; sha256sum --quiet -c /workspace/sums"
    assert.strictEqual(await sh("g18", check), "19")
    await step("stop", "g18")
    await step("start", "g18")
    assert.strictEqual(await sh("g18", check), "19")
    await json(["workspace", "delete", "g18"])
  })

  it("snapshots and forks work after the cache was deleted", async () => {
    await create(["--name", "kept"])
    const digests = await sh(
      "kept",
      "head -c 2000000 /dev/urandom > /usr/lib/new; sync; sha256sum /usr/lib/new /usr/bin/bash"
    )
    const read = "sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum /usr/lib/new /usr/bin/bash"
    await sh("kept", "echo here > /tmp/t")
    await snapshot("kept", "s")
    await durable("kept", "s")
    emptyCache(cache)
    process.kill(await pyro.daemonPid(), "SIGKILL")
    await json(["workspace", "reset", "kept", "--snapshot", "s"])
    await fork("kept", "--snapshot", "s", "--name", "other")
    for (const name of ["kept", "other"]) {
      assert.strictEqual(await sh(name, "cat /tmp/t"), "here")
      assert.strictEqual(await sh(name, read), digests)
    }
    await json(["workspace", "delete", "kept", "other"])
    linkCache(cache)
  })

  it("a QEMU killed during a snapshot or a fork leaves nothing partial, and older snapshots work", async () => {
    const { id } = await create(["--name", "dying", "--mem-mib", "512", "--disk-mib", "512"])
    await sh("dying", "head -c 150000000 /dev/urandom > /dev/shm/ballast; echo good > /workspace/f; sync")
    await snapshot("dying", "good")
    const qemu = await vmmOf(pyro, id)
    const [taking] = await Promise.all([
      call(["workspace", "snapshot", "create", "dying", "cut", "--json"]),
      (async () => {
        const folder = path.join(state, "workspaces", id, "snapshots", "cut", "logs")
        await until("the snapshot has begun", () => fs.existsSync(folder))
        process.kill(qemu, "SIGKILL")
      })()
    ])
    if (taking.code !== 0) assert.deepStrictEqual(await kinds("dying"), { good: "memory" })
    await until("it is failed", async () => (await status("dying")).state === "failed")
    await json(["workspace", "reset", "dying", "--snapshot", "good"])
    assert.strictEqual(await sh("dying", "cat f; stat -c %s /dev/shm/ballast"), "good\n150000000")
    await json(["workspace", "delete", "dying"])
  })

  it("a full disk before or during a snapshot leaves the workspace running", async () => {
    await create(["--name", "full", "--mem-mib", "512", "--disk-mib", "512"])
    await sh(
      "full",
      "head -c 200000000 /dev/urandom > /dev/shm/ballast; echo here > /workspace/f; sync; sha256sum /dev/shm/ballast > /dev/shm/sum"
    )
    const filler = path.join(mountPoint, "filler")
    const leave = (mib: number) => {
      const { bavail, bsize } = fs.statfsSync(mountPoint)
      execFileSync("fallocate", ["-l", String(bavail * bsize - mib * 1024 * 1024), filler])
    }
    leave(20)
    assert.strictEqual((await failure(["workspace", "snapshot", "create", "full", "s"])).code, "no_space")
    fs.rmSync(filler)
    // Room enough when it is looked at, and gone before the copy is through.
    leave(300)
    const id = (await status("full")).id
    const [cut] = await Promise.all([
      call(["workspace", "snapshot", "create", "full", "s", "--json"]),
      (async () => {
        await until("it has begun", () => fs.existsSync(path.join(state, "workspaces", id, "snapshots", "s", "logs")))
        execFileSync("sh", ["-c", `head -c 200000000 /dev/zero > ${filler}.2 || true`])
      })()
    ])
    if (cut.code !== 0) assert.include(cut.stdout.toString(), "no_space")
    for (const file of [filler, `${filler}.2`]) fs.rmSync(file, { force: true })
    if (cut.code !== 0) assert.deepStrictEqual(await kinds("full"), {})
    assert.strictEqual(await sh("full", "cat f; sha256sum --quiet -c /dev/shm/sum"), "here")
    await json(["workspace", "delete", "full"])
    assert.deepStrictEqual(await list(), [])
  })
})
