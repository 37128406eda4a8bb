import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync
} from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "vitest"
import { buildFake } from "./build-fake.ts"
import { eventually, onTerminal, run, shell, start } from "./cli-process.ts"

const binary = buildFake()
const pyro = (...args: ReadonlyArray<string>) => run(binary, args)
let logs = 0
/** A file in which the fake notes what it acquired and released. */
const releaseLog = () => {
  const path = join(binary.folder, `released-${++logs}`)
  writeFileSync(path, "")
  return {
    env: { FAKE_RELEASED: path },
    lines: () => readFileSync(path, "utf8").split("\n").filter((line) => line !== "")
  }
}

describe("help, version and usage errors", () => {
  it("pyro --version prints the version, and those of its parts", async () => {
    const { devDependencies, version } = JSON.parse(
      readFileSync(new URL("../../package.json", import.meta.url), "utf8")
    )
    const { status, stdout } = await pyro("--version")
    assert.strictEqual(status, 0)
    const lines = stdout.toString().split("\n")
    assert.match(lines[0]!, new RegExp(`^pyro ${version.replaceAll(".", "\\.")} \\(build [0-9a-f]{8}\\)$`))
    assert.match(lines[1]!, /^guest agent [0-9a-f]{16}$/)
    assert.include(lines[2], `effect ${devDependencies.effect}`)
    for (const args of [["--version", "--json"], ["--json", "--version"]]) {
      const parts = JSON.parse((await pyro(...args)).stdout.toString())
      assert.deepInclude(parts, { version, effect: devDependencies.effect })
      assert.strictEqual(`guest agent ${parts.guest_agent}`, lines[1])
    }
    assert.strictEqual((await pyro("workspace", "--version")).stdout.toString(), `pyro ${version}\n`)
  })

  it("an older Node than npm's `engines` ask for is named, and starts nothing", async () => {
    const preload = join(binary.folder, "older-node.cjs")
    writeFileSync(preload, `Object.defineProperty(process.versions, "node", { value: "18.20.4" })`)
    const options = { env: { NODE_OPTIONS: `--require=${preload}` } }
    const { status, stderr } = await run(binary, ["workspace", "list"], options)
    assert.strictEqual(status, 1)
    assert.match(stderr, /^pyro: pyro needs Node\.js 20 or newer; this is /)
    assert.strictEqual((await run(binary, ["--version"], options)).status, 0)
  })

  it("pyro --help prints the commands that people need first", async () => {
    const { status, stdout } = await pyro("--help")
    assert.strictEqual(status, 0)
    assert.match(stdout.toString(), /^ {2}up .*\n {2}down /m)
    assert.match(stdout.toString(), /pyro run debian:12 git --version/)
  })

  it("help has the columns that COLUMNS says", async () => {
    const { stdout } = await run(binary, ["run", "--help"], { env: { COLUMNS: "50" } })
    const [described] = stdout.toString().split("\nUsage\n")
    assert.isAbove(described!.length, 200)
    for (const line of described!.split("\n")) assert.isAtMost(line.length, 50)
  })

  it.each([
    [["nosuch", "--help"], /no command "nosuch"/],
    [["rnu"], /no command "rnu". Did you mean "run"\?/],
    [["env"], /"pyro env" needs a verb/],
    [["run"], /command: nothing to run; for example: pyro run debian:12 ls/],
    [["run", "debian:12", "--mem-mib", "8", "--", "true"], /--mem-mib: must be a whole number from 128 to 1048576 MiB/],
    [["run", "debian:12", "--vcpu-count", "0", "--", "true"], /--vcpu-count: must be a whole number from 1 to 32/],
    [["run", "debian:12", "--memory", "8", "--", "true"], /no option --memory/],
    [["run", "debian:12"], /command: nothing to run; for example: pyro run debian:12 ls/],
    [["gc", "--", "x"], /unexpected "x"/],
    [["run", "debian:12", "--seed-path", "", "--", "true"], /--seed-path: must not be empty/],
    [["workspace", "sync", "push", "fix", ""], /<source_path>: must not be empty/]
  ])("pyro refuses the command line %j with status 2", async (args, complaint) => {
    const { status, stderr, stdout } = await pyro(...args)
    assert.deepStrictEqual([status, stdout.length], [2, 0])
    assert.match(stderr, complaint)
    assert.match(stderr, /\nsee: pyro .*--help\n$/)
    const inJson = await pyro("--json", ...args)
    const { error } = JSON.parse(inJson.stdout.toString())
    assert.deepStrictEqual([inJson.status, error.code, inJson.stderr], [2, "invalid_request", ""])
    assert.match(error.message, complaint)
  })
})

describe("commands without one of their arguments", () => {
  it.each([
    ["run", "command"],
    ["exec fix", "command"],
    ["exec", "workspace"],
    ["exec -- ls", "workspace"],
    ["delete", "workspaces"],
    ["compare a", "to"],
    ["export fix a", "--output"]
  ])("the JSON error of pyro %s names the missing %s", async (line, field) => {
    const { status, stdout } = await pyro("--json", ...line.split(" "))
    const { error } = JSON.parse(stdout.toString())
    assert.deepStrictEqual([status, error.code, error.field], [2, "invalid_request", field])
  })
})

describe("host commands", () => {
  it("host commands print tables, and JSON documents with --json", async () => {
    assert.match(
      (await pyro("env", "list")).stdout.toString(),
      /^NAME .*\ndebian:12 +catalogue +ready +- +1 MiB +this host\n$/
    )
    const { environments } = JSON.parse((await pyro("env", "list", "--json")).stdout.toString())
    assert.deepStrictEqual(environments[0], {
      name: "debian:12",
      description: "this host",
      state: "ready",
      origin: "catalogue",
      digest: "sha256:0123456789abcdef",
      size_bytes: 1_048_576
    })
    const { disk, ...pruned } = JSON.parse((await pyro("env", "prune", "--json")).stdout.toString())
    assert.deepStrictEqual(pruned, { removed: ["sha256:00"], freed_bytes: 2_097_152 })
    assert.deepStrictEqual(disk.workspaces, [{ workspace: "ws-0123456789", bytes: 2_097_152 }])
    const gc = (await pyro("gc")).stdout.toString()
    assert.include(gc, "removed vm pid 7\n1 KiB freed\n")
    assert.match(gc, /workspaces +2 MiB\n +ws-0123456789 +2 MiB\ntotal +3 MiB\nevictable +1 MiB\nfree +1024 MiB\n$/)
  })

  it("a failed host command exits with 1", async () => {
    const { status, stderr } = await pyro("env", "inspect", "debian:1")
    assert.strictEqual(status, 1)
    assert.match(stderr, /^pyro: no environment "debian:1"/)
  })

  it("pyro doctor exits with 0 only if every check passes", async () => {
    const well = await pyro("doctor")
    assert.deepStrictEqual([well.status, well.stdout.toString()], [0, "ok    cpu: x86_64\nno problems found\n"])
    const ill = await pyro("doctor", "--selftest", "--json")
    assert.strictEqual(ill.status, 1)
    assert.deepStrictEqual(JSON.parse(ill.stdout.toString()), {
      ok: false,
      lines: [{ name: "cpu", ok: true, found: "x86_64" }, {
        name: "clock",
        ok: false,
        found: "late",
        fix: "wind it up"
      }]
    })
  })

  it("a listing ends quietly when its reader closes the pipe", async () => {
    const many = { ...binary, env: { ...binary.env, FAKE_ENVIRONMENTS: "20000" } }
    const { stderr, stdout } = await shell(many, `"$@" | head -n 1; echo "\${PIPESTATUS[0]}"`, ["env", "list"])
    assert.match(stdout.toString(), /^NAME .*\n0\n$/)
    assert.strictEqual(stderr, "")
  })
})

describe("an output that cannot be written", () => {
  it.each([["", 1], ["--json", 1]])(
    "env list fails with an error if stdout cannot be written (%s)",
    async (flag, status) => {
      const ended = await shell(binary, `"$@" > /dev/full`, ["env", "list", ...(flag === "" ? [] : [flag])])
      assert.strictEqual(ended.status, status)
      assert.strictEqual(ended.stderr, "pyro: cannot write to stdout: ENOSPC\n")
    }
  )

  it("run exits with 125 if stdout cannot be written", async () => {
    const ended = await shell(binary, `"$@" > /dev/full`, ["run", "debian:12", "--", "sh", "-c", "echo x; sleep 600"])
    assert.deepStrictEqual([ended.status, ended.stderr], [125, "pyro: cannot write to stdout: ENOSPC\n"])
  })

  it("a command succeeds if only stderr cannot be written", async () => {
    const ended = await shell(binary, `"$@" 2> /dev/full`, [
      "run",
      "debian:12",
      "--",
      "sh",
      "-c",
      "echo x >&2; echo y; exit 4"
    ])
    assert.deepStrictEqual([ended.status, ended.stdout.toString()], [4, "y\n"])
  })
})

describe("progress and warnings", () => {
  it("progress is one line per step if stderr is no terminal, and stdout stays clean", async () => {
    const { stderr, stdout } = await pyro("run", "fake:notices", "--", "echo", "out")
    assert.strictEqual(stderr, "pyro: building\npyro: warning: 2 files skipped\n")
    assert.strictEqual(stdout.toString(), "out\n")
  })

  it("--json prints no progress and puts warnings into the document", async () => {
    const { stderr, stdout } = await pyro("run", "fake:notices", "--json", "--", "true")
    assert.strictEqual(stderr, "")
    assert.deepStrictEqual(JSON.parse(stdout.toString()).warnings, [{ message: "2 files skipped" }])
  })

  it("progress on a terminal is a bar that is erased at the end", async () => {
    const { ended, screen } = onTerminal(binary, `"$@"`, ["env", "pull", "debian:12"])
    assert.strictEqual(await ended, 0)
    assert.match(screen(), /\[#{12} {12}\] {2}50% unpacking\r\u001b\[2Kdebian:12 is ready/)
  })
})

describe("failures of pyro itself", () => {
  it("errors show the end of the guest's console without escape sequences", async () => {
    const { status, stderr } = await pyro("run", "fake:console", "--", "true")
    assert.strictEqual(status, 125)
    assert.match(stderr, /\nend of the guest's console:\n\\x1b\[31mpanic\\x1b\[0m\n/)
  })

  it("a defect of pyro is reported as a defect, and not as an error", async () => {
    const { status, stderr } = await pyro("run", "fake:defect", "--", "true")
    assert.strictEqual(status, 125)
    assert.match(stderr, /^pyro: a defect of pyro itself, please report it:\nError: something impossible/)
    const { error } = JSON.parse((await pyro("run", "fake:defect", "--json", "--", "true")).stdout.toString())
    assert.strictEqual(error.code, "internal_error")
  })
})

describe("signals", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("%s during boot releases all resources", async (signal) => {
    const log = releaseLog()
    const { child, ended } = start(binary, ["run", "fake:boots-for-ever", "--", "true"], log)
    await eventually("the boot", () => log.lines().includes("booting"))
    child.kill(signal)
    await ended
    assert.deepStrictEqual(log.lines(), ["booting", "vm"])
  })

  it("a signal kills the command before pyro releases the VM", async () => {
    const log = releaseLog()
    const { child, ended, printed } = start(
      binary,
      ["run", "debian:12", "--", "sh", "-c", "echo up; exec sleep 600"],
      log
    )
    await eventually("the command", () => printed() === "up\n", printed)
    child.kill("SIGINT")
    await ended
    assert.deepStrictEqual(log.lines(), ["command", "vm"])
  })

  it("a second signal ends pyro at once, and pyro dies of the first", async () => {
    const log = releaseLog()
    const { child, ended } = start(binary, ["run", "fake:never-releases", "--", "true"], log)
    await eventually("the boot", () => log.lines().includes("booting"))
    child.kill("SIGTERM")
    await eventually("the release that hangs", () => log.lines().includes("stuck"))
    const repeat = setInterval(() => child.kill("SIGHUP"), 150)
    assert.strictEqual((await ended).signal, "SIGTERM")
    clearInterval(repeat)
  })
})

it("a signal that arrives twice within 100 ms counts once", async () => {
  const log = releaseLog()
  const { child, ended } = start(binary, ["run", "fake:boots-for-ever", "--", "true"], log)
  await eventually("the boot", () => log.lines().includes("booting"))
  child.kill("SIGINT")
  child.kill("SIGTERM")
  assert.include(["SIGINT", "SIGTERM"], (await ended).signal)
  assert.deepStrictEqual(log.lines(), ["booting", "vm"])
})

describe("V8's code cache", () => {
  const cached = (cache: string) => ({ ...binary, env: { ...binary.env, PYRO_CACHE_DIR: cache } })
  const gc = (cache: string) => {
    // What does the work makes the cache directory; the fake has no use for it.
    mkdirSync(cache, { recursive: true })
    return run(cached(cache), ["gc"])
  }
  const only = (cache: string) => {
    const [file, ...more] = readdirSync(join(cache, "code"))
    assert.strictEqual(more.length, 0)
    return join(cache, "code", file ?? "")
  }

  it("the first run of a command writes V8's code cache for its owner only, and later runs use the cache", async () => {
    const cache = join(binary.folder, "cache-1")
    await gc(cache)
    const file = only(cache)
    const { ino, mode } = statSync(file)
    assert.strictEqual(mode & 0o777, 0o600)
    assert.strictEqual((await gc(cache)).status, 0)
    assert.strictEqual(statSync(file).ino, ino)
  })

  it("pyro replaces a damaged code cache", async () => {
    const cache = join(binary.folder, "cache-2")
    await gc(cache)
    const file = only(cache)
    const { size } = statSync(file)
    truncateSync(file, 1000)
    assert.include((await gc(cache)).stdout.toString(), "removed vm pid 7\n1 KiB freed\n")
    assert.isAbove(statSync(only(cache)).size, size / 2)
  })

  it("pyro ignores a code cache that other users can write", async () => {
    const cache = join(binary.folder, "cache-3")
    await gc(cache)
    const file = only(cache)
    const { ino } = statSync(file)
    chmodSync(file, 0o622)
    await gc(cache)
    assert.notStrictEqual(statSync(file).ino, ino)
    assert.strictEqual(statSync(file).mode & 0o777, 0o600)
  })

  it("pyro gc removes the oldest code caches", async () => {
    const cache = join(binary.folder, "cache-5")
    mkdirSync(join(cache, "code"), { recursive: true })
    const other = (at: number) => join(cache, "code", `main-${String(at).padStart(16, "0")}.cjs-v20-x64-gc.bin`)
    for (let at = 0; at < 30; at++) writeFileSync(other(at), "")
    const longAgo = Date.now() / 1000 - 30 * 86_400
    utimesSync(other(7), longAgo, longAgo)
    await gc(cache)
    const left = readdirSync(join(cache, "code"))
    assert.strictEqual(left.length, 17)
    assert.notInclude(left.join(), "0000000007.cjs")
  })

  it("pyro runs without a code cache if the cache cannot be written", async () => {
    const cache = join(binary.folder, "cache-4")
    mkdirSync(cache)
    writeFileSync(join(cache, "code"), "a file where the folder should be")
    assert.strictEqual((await gc(cache)).status, 0)
  })
})

describe("the start of a command", () => {
  it("a command that asks the daemon loads none of Node's slow parts", async () => {
    await pyro("workspace", "list")
    const hook = join(binary.folder, "loaded.cjs")
    writeFileSync(hook, `process.on("exit", () => require("node:fs").writeSync(2, process.moduleLoadList.join("\\n")))`)
    const { stderr } = await run(binary, ["workspace", "list"], { env: { NODE_OPTIONS: `--require ${hook}` } })
    const loaded = stderr.split("\n")
    assert.include(loaded, "NativeModule net")
    const slow = ["child_process", "crypto", "fs/promises", "tls"].map((name) => `NativeModule ${name}`)
    assert.deepStrictEqual(loaded.filter((name) => slow.includes(name)), [])
  })
})
