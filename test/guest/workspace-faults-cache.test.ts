import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { installation } from "../support/installation.ts"
import { emptyCache, linkCache } from "../support/own-cache.ts"
import { temporaryFolder } from "../support/pyro-cli.ts"

const place = temporaryFolder("pyro-cache-")
const cache = path.join(place.folder, "cache")
const pyro = installation("pyro-faults-cache-", { env: { PYRO_CACHE_DIR: cache } })
const { create, json, sh, status, step } = pyro
afterAll(async () => {
  await pyro.close()
  place.remove()
})

/** Files of the environment, and one under /usr and in /workspace that were written, as the disks have them. */
const digest =
  "sync; echo 3 > /proc/sys/vm/drop_caches; sha256sum /usr/bin/bash /usr/bin/perl /usr/lib/new /workspace/who"

describe("the cache is deleted, or has moved on, under a running and a stopped workspace", {
  concurrent: false
}, () => {
  const digests = new Map<string, string>()

  /** Both are what they were, through a stop and a start, with nothing but what they hold themselves. */
  const nothingIsLost = async () => {
    assert.strictEqual((await status("live")).state, "running")
    assert.strictEqual(await sh("live", digest), digests.get("live"))
    for (const name of ["kept", "live"]) {
      if (name === "live") await step("stop", name)
      assert.strictEqual((await step("start", name)).state, "running")
      assert.strictEqual(await sh(name, digest), digests.get(name), name)
    }
    await step("stop", "kept")
  }

  beforeAll(async () => {
    linkCache(cache)
    for (const name of ["live", "kept"]) {
      await create(["--name", name])
      await sh(name, `echo ${name} > /workspace/who; head -c 2000000 /dev/urandom > /usr/lib/new`)
      digests.set(name, await sh(name, digest))
    }
    await step("stop", "kept")
  })

  it("a workspace works after the cache was deleted", async () => {
    emptyCache(cache)
    await nothingIsLost()
  })

  it("a workspace works without the cache after the daemon was killed", async () => {
    emptyCache(cache)
    process.kill(await pyro.daemonPid(), "SIGKILL")
    await nothingIsLost()
  })

  it("a reset works without the cache", async () => {
    emptyCache(cache)
    await step("reset", "live")
    assert.strictEqual(await sh("live", "ls -A /workspace; test ! -e /usr/lib/new"), "")
    await sh("live", "echo live > /workspace/who; echo new > /usr/lib/new")
    digests.set("live", await sh("live", digest))
  })

  it("a workspace keeps its image when the environment's name has another image", async () => {
    await json(["daemon", "stop"])
    emptyCache(cache)
    linkCache(cache)
    const templates = () => fs.readdirSync(path.join(cache, "templates")).filter((one) => !one.endsWith(".lock")).length
    const before = templates()
    // Not the linked file itself, which is the shared cache's.
    const name = path.join(cache, "environments", "names", "debian:12.json")
    const moved = fs.readFileSync(name, "utf8").replace(/[0-9a-f]{64}/, "0".repeat(64))
    fs.rmSync(name)
    fs.writeFileSync(name, moved, { mode: 0o600 })
    // Another program, as after an update of QEMU.
    const qemu = path.join("/usr/local/bin", `pyro-test-qemu-${process.pid}`)
    const real = execFileSync("sh", ["-c", "command -v qemu-system-x86_64"]).toString().trim()
    fs.writeFileSync(qemu, `#!/bin/sh\nexec ${real} "$@"\n`, { mode: 0o755 })
    try {
      await json(["workspace", "list"], { env: { PYRO_QEMU: qemu } })
      await nothingIsLost()
      assert.strictEqual(templates(), before + 1)
    } finally {
      fs.rmSync(qemu)
    }
  })
})
