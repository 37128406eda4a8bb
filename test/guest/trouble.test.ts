import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { toldError } from "../support/daemon/told-error.ts"
import { hostInventory } from "../support/host/host-inventory.ts"
import { ownCache } from "../support/own-cache.ts"
import { pyro, startPyro, temporaryFolder, until } from "../support/pyro-cli.ts"
import { knownAccelerator } from "../support/run/accelerator.ts"
import { settled, settlesAs } from "../support/settled.ts"

/** A program of the test's own in place of QEMU. */
const fakeQemu = (file: string, body: string) => {
  fs.writeFileSync(file, `#!/bin/sh\n${body}\n`, { mode: 0o755 })
  return file
}

const realQemu = execFileSync("sh", ["-c", "command -v qemu-system-x86_64"]).toString().trim()
/** QEMU by another name, which the templates of these tests belong to. */
const mortalQemu = path.join("/usr/local/bin", `pyro-test-qemu-${process.pid}`)
/** While this is there, that QEMU dies in each restore, as soon as it listens for what to restore. */
const isToDie = `${mortalQemu}.dies`

describe("bad days of pyro run", () => {
  const { folder, remove } = temporaryFolder("pyro-trouble-")
  const state = path.join(folder, "state")
  const cache = ownCache(folder)
  const env = { PYRO_STATE_DIR: state, PYRO_CACHE_DIR: cache, PYRO_QEMU: mortalQemu, ...knownAccelerator() }
  const inventory = () => hostInventory({ state, cache })
  const run = (args: ReadonlyArray<string>, more: Readonly<Record<string, string>> = {}) =>
    pyro(["run", "debian:12", ...args], { env: { ...env, ...more } })
  let before: ReadonlyArray<string> = []
  /** The template of the sizes that a run has without options. */
  let template = ""

  beforeAll(async () => {
    fakeQemu(
      mortalQemu,
      `case "$*" in *" -incoming "*) if [ -e ${isToDie} ]; then ${realQemu} "$@" &
       until [ -S run/q ]; do sleep 0.01; done; kill -9 $!; exit 1; fi;; esac; exec ${realQemu} "$@"`
    )
    assert.strictEqual((await run(["--", "true"])).code, 0)
    const made = fs.readdirSync(path.join(cache, "templates")).filter((name) => !name.endsWith(".lock"))
    assert.lengthOf(made, 1)
    template = made[0]!
    before = await settled(inventory)
  })
  afterAll(async () => {
    fs.rmSync(mortalQemu)
    await settlesAs(inventory, before, "something was left on the host")
    remove()
  })

  /** The run failed as pyro's failure, with an error that has these fields, and left nothing. */
  const failsWith = async (
    fields: Readonly<Record<string, unknown>>,
    args: ReadonlyArray<string>,
    more: Readonly<Record<string, string>> = {}
  ) => {
    const result = await run(["--json", ...args], more)
    const error = toldError(result)
    assert.deepInclude(error, fields, result.stdout.toString() + result.stderr)
    await settlesAs(inventory, before)
    return { status: result.code, error }
  }

  it("run with an unknown environment names the known ones", async () => {
    const { code, stdout } = await pyro(["run", "debian:99", "--json", "--", "true"], { env })
    assert.strictEqual(code, 125)
    const error = toldError({ stdout })
    assert.deepInclude(error, { code: "environment_unknown", environment: "debian:99" })
    assert.includeMembers([...error["known"] as ReadonlyArray<string>], ["debian:12", "debian:13"])
  })

  it.each([["--mem-mib", "8"], ["--vcpu-count", "0"], ["--timeout-seconds", "-1"]])(
    "run %s %s is a usage error",
    async (flag, value) => {
      const { code, stdout } = await run([flag, value, "--json", "--", "true"])
      assert.strictEqual(code, 2)
      assert.deepInclude(toldError({ stdout }), { code: "invalid_request", field: flag })
    }
  )

  it("run reports a QEMU that is missing, too old, or dies during the restore", async () => {
    const missing = { code: "host_tool_missing", tool: "qemu-system-x86_64", package: "qemu-system-x86" }
    assert.strictEqual((await failsWith(missing, ["--", "true"], { PYRO_QEMU: "/nonexistent" })).status, 125)
    const old = fakeQemu(path.join(folder, "old-qemu"), "echo QEMU emulator version 5.2.0")
    const unsuitable = { code: "host_tool_unsuitable", tool: "QEMU", found: "5.2.0", needed: "7.2 or newer" }
    await failsWith(unsuitable, ["--", "true"], { PYRO_QEMU: old })
    fs.writeFileSync(isToDie, "")
    try {
      const { error } = await failsWith({ code: "vm_failed" }, ["--", "true"])
      assert.match(error.message, /QEMU ended/)
    } finally {
      fs.rmSync(isToDie)
    }
  })

  it("run reports a kernel panic with the end of the console", async () => {
    const { error, status } = await failsWith({ code: "guest_panicked" }, [
      "--",
      "sh",
      "-c",
      "echo c > /proc/sysrq-trigger; sleep 60"
    ])
    assert.strictEqual(status, 125)
    assert.match(String(error["console_tail"]), /sysrq|panic/i)
  })

  it("run reports a guest that powers itself off", async () => {
    const { error } = await failsWith({ code: "vm_failed" }, [
      "--",
      "sh",
      "-c",
      "echo o > /proc/sysrq-trigger; sleep 60"
    ])
    assert.match(error.message, /powered itself off|stopped/)
  })

  it("run reports a QEMU that is killed during the command", async () => {
    const { finished, stdoutSoFar } = startPyro(["run", "debian:12", "--", "sh", "-c", "echo up; sleep 300"], { env })
    await until("the guest's output", () => stdoutSoFar().includes("up"))
    const [id] = fs.readdirSync(path.join(state, "vms"))
    const record = JSON.parse(fs.readFileSync(path.join(state, "vms", id!, "record.json"), "utf8")) as {
      qemu: { pid: number }
    }
    process.kill(record.qemu.pid, "SIGKILL")
    const { code, stderr } = await finished
    assert.strictEqual(code, 125)
    assert.match(stderr, /QEMU ended/)
    await settlesAs(inventory, before)
  })

  it("run refuses a host with less confinement than required", async () => {
    const blocked = path.join(folder, "no-bwrap")
    fs.mkdirSync(blocked)
    fs.writeFileSync(path.join(blocked, "bwrap"), "#!/bin/sh\nexit 1\n", { mode: 0o755 })
    await failsWith(
      { code: "confinement_unavailable", level: "seccomp" },
      ["--require-confinement", "namespaces", "--", "true"],
      { PATH: `${blocked}:${process.env["PATH"]}` }
    )
    // Without namespaces it runs all the same when nobody asks for them.
    const unconfined = await run(["--", "echo", "ran"], { PATH: `${blocked}:${process.env["PATH"]}` })
    assert.deepStrictEqual({ code: unconfined.code, stdout: unconfined.stdout.toString() }, {
      code: 0,
      stdout: "ran\n"
    })
    await settlesAs(inventory, before)
    const level = process.getuid?.() === 0 ? "namespaces+uid" : "namespaces"
    assert.strictEqual((await run(["--require-confinement", level, "--", "true"])).code, 0)
  })

  it("run is refused before it starts if the memory store is too small", async () => {
    const store = path.join(folder, "store")
    fs.mkdirSync(store)
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=600m", "tmpfs", store])
    try {
      const full = { code: "no_space", where: "memory store", needed_mib: 1024 }
      await failsWith(full, ["--", "true"], { PYRO_MEMORY_DIR: store })
      // What fits is let in.
      assert.strictEqual((await run(["--mem-mib", "512", "--", "true"], { PYRO_MEMORY_DIR: store })).code, 0)
    } finally {
      execFileSync("umount", [store])
    }
  })

  it("run fails with the reason if the memory store fills up", async () => {
    const store = path.join(folder, "store2")
    fs.mkdirSync(store)
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=600m", "tmpfs", store])
    try {
      const { finished, stdoutSoFar } = startPyro(
        [
          "run",
          "debian:12",
          "--mem-mib",
          "512",
          "--",
          "sh",
          "-c",
          "echo up; cat /workspace/go 2>/dev/null; sleep 2; head -c 300000000 /dev/zero > /dev/shm/x; echo survived"
        ],
        { env: { ...env, PYRO_MEMORY_DIR: store } }
      )
      await until("the guest's output", () => stdoutSoFar().includes("up"))
      const filler = fs.openSync(path.join(store, "filler"), "w")
      try {
        for (;;) fs.writeSync(filler, Buffer.alloc(1024 * 1024))
      } catch {
        /* full now */
      } finally {
        fs.closeSync(filler)
      }
      const { code, stderr, stdout } = await finished
      assert.strictEqual(code, 125, stderr)
      assert.notInclude(stdout.toString(), "survived")
      assert.match(stderr, /memory store|SIGBUS/)
    } finally {
      execFileSync("umount", [store])
    }
  })

  it("a full host disk pauses the guest, with a message, until there is space", async () => {
    const small = path.join(folder, "small")
    fs.mkdirSync(small)
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=160m", "tmpfs", small])
    try {
      const filler = path.join(small, "filler")
      const { finished, stderrSoFar } = startPyro(
        [
          "run",
          "debian:12",
          "--",
          "sh",
          "-c",
          "head -c 100000000 /dev/zero | tr '\\0' x > /workspace/big; sync; wc -c < /workspace/big"
        ],
        { env: { ...env, PYRO_STATE_DIR: path.join(small, "state") } }
      )
      fs.writeFileSync(filler, Buffer.alloc(90 * 1024 * 1024))
      await until("the warning", () => stderrSoFar().includes("disk is full"), 60_000)
      fs.rmSync(filler)
      const { code, stdout } = await finished
      assert.strictEqual(code, 0)
      assert.strictEqual(stdout.toString(), "100000000\n")
    } finally {
      execFileSync("umount", [small])
    }
  })

  it("run reports an unusable state directory, and a very long one works", async () => {
    const file = path.join(folder, "file")
    fs.writeFileSync(file, "")
    const unusable = path.join(file, "state")
    const refused = await pyro(["run", "debian:12", "--json", "--", "true"], { env: { PYRO_STATE_DIR: unusable } })
    assert.strictEqual(refused.code, 125)
    assert.deepInclude(toldError(refused), { code: "state_directory_unusable", path: unusable })
    const long = path.join(folder, "long ".repeat(20), "deep".repeat(40))
    const worked = await pyro(["run", "debian:12", "--", "echo", "hi"], { env: { PYRO_STATE_DIR: long } })
    assert.strictEqual(worked.stdout.toString(), "hi\n", worked.stderr)
    fs.rmSync(path.join(folder, "long ".repeat(20)), { recursive: true })
  })

  it.each(["mem", "state", "overlay"])("a template with a damaged %s is detected and made again", async (part) => {
    const damaged = path.join(cache, "templates", template, part)
    const fd = fs.openSync(damaged, "r+")
    fs.writeSync(fd, Buffer.alloc(4096, 0xff), 0, 4096, Math.floor(fs.fstatSync(fd).size / 8192) * 4096)
    fs.closeSync(fd)
    const { ino } = fs.statSync(damaged)
    const { code, stderr, stdout } = await run(["--", "echo", "fine"])
    assert.include(stderr, "template")
    assert.deepStrictEqual({ code, stdout: stdout.toString() }, { code: 0, stdout: "fine\n" })
    assert.notStrictEqual(fs.statSync(damaged).ino, ino)
  })
})
