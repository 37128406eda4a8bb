import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, assert, describe, it } from "vitest"
import { showConfiguration } from "../../../../src/daemon/app/configuration.ts"
import { Paths } from "../../../../src/system/files/Paths.ts"
import { processIdentity } from "../../../../src/system/processes/identity.ts"
import { variables } from "../../../../src/system/settings/variables.ts"
import { shown } from "../../cli/shown.ts"

const before = { ...process.env }
const stateDir = mkdtempSync(join(tmpdir(), "pyro-configuration-"))
mkdirSync(join(stateDir, "daemon"))
const record = join(stateDir, "daemon", "daemon.json")
afterAll(() => rmSync(stateDir, { recursive: true }))

let daemon: ChildProcess | undefined

const settings = (environment: Readonly<Record<string, string>>) => {
  for (const name of Object.keys(variables)) delete process.env[name]
  Object.assign(process.env, environment)
  const paths = { stateDir, cacheDir: "/cache", memoryDir: "/dev/shm/pyro-0-a" }
  return Effect.runSync(Effect.provideService(showConfiguration, Paths, paths)).settings
}

/** The same beside a daemon that was started with these variables. */
const besideDaemon = (started: Readonly<Record<string, string>>, environment: Readonly<Record<string, string>>) => {
  daemon = spawn("sleep", ["infinity"], { env: { PATH: before["PATH"], ...started }, stdio: "ignore" })
  const process = processIdentity(daemon.pid!)
  writeFileSync(record, JSON.stringify({ process, version: "v", startedAt: "2025-01-02T03:04:05.000Z" }))
  return settings(environment)
}

const one = (name: string, environment: Readonly<Record<string, string>>) => {
  const { source, value } = settings(environment).find((setting) => setting.name === name)!
  return [value, source]
}

describe("pyro config", () => {
  afterEach(() => {
    Object.assign(process.env, before)
    daemon?.kill("SIGKILL")
    rmSync(record, { force: true })
  })

  it("config has every variable that pyro reads", () => {
    assert.deepStrictEqual(settings({}).map(({ name }) => name), Object.keys(variables))
  })

  it("config says what 0 means where it is no amount, in the words of the reference", async () => {
    const told = settings({ PYRO_PAUSE_AFTER_SECONDS: "0", PYRO_REWIND_MIB: "0", PYRO_DISK_RESERVE_MIB: "0" })
    const { out } = await shown("config", { settings: told }, {})
    assert.match(out, /^PYRO_DISK_BUDGET_MIB +0 \(no maximum\) +default$/m)
    assert.match(out, /^PYRO_PAUSE_AFTER_SECONDS +0 \(never\) +environment$/m)
    assert.match(out, /^PYRO_REWIND_MIB +0 \(pyro makes no points and keeps no candidates\) /m)
    assert.match(out, /^PYRO_DISK_RESERVE_MIB +0 MiB +environment$/m)
  })

  it("config shows the value that holds, and where it comes from", () => {
    assert.deepStrictEqual(one("PYRO_POOL_MEMBERS", {}), [2, "default"])
    assert.deepStrictEqual(one("PYRO_POOL_MEMBERS", { PYRO_POOL_MEMBERS: "" }), [2, "default"])
    assert.deepStrictEqual(one("PYRO_POOL_MEMBERS", { PYRO_POOL_MEMBERS: "5" }), [5, "environment"])
    assert.deepStrictEqual(one("PYRO_WORKSPACE", {}), [undefined, "default"])
    assert.deepStrictEqual(one("PYRO_STATE_DIR", {}), [stateDir, "default"])
    assert.deepStrictEqual(one("PYRO_STATE_DIR", { PYRO_STATE_DIR: "state" }), [stateDir, "environment"])
    assert.deepStrictEqual(one("PYRO_MEMORY_DIR", {}), ["/dev/shm", "default"])
  })

  it("config shows no password and no key", () => {
    for (
      const [value, safe] of [["http://me:p/w@proxy:3128", "http://***@proxy:3128"], [
        "me:pw@proxy",
        "***@proxy"
      ], ["socks5h://me:pw@proxy:1", "socks5h://***@proxy:1"]] as const
    ) {
      assert.deepStrictEqual(one("https_proxy", { https_proxy: value }), [safe, "environment"])
    }
    assert.deepStrictEqual(one("HTTP_PROXY", { HTTP_PROXY: "http://proxy:3128" }), ["http://proxy:3128", "environment"])
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: "authorization=key" }
    assert.deepStrictEqual(one("OTEL_EXPORTER_OTLP_HEADERS", headers), ["(set)", "environment"])
  })

  it("config shows no password with line ends or control characters, no key in a query, and no control character", async () => {
    for (
      const [value, safe] of [
        ["http://me:first\nsecond@proxy:3128", "http://***@proxy:3128"],
        ["\n http://me:p\u2028w\u001b[2J@proxy:3128", "http://***@proxy:3128"],
        ["me:a@b\rc@proxy", "***@proxy"],
        ["https://collector/v1?key=hunter2\n&x=hunter3", "https://collector/v1?***"]
      ] as const
    ) {
      for (const name of ["https_proxy", "ALL_PROXY", "OTEL_EXPORTER_OTLP_ENDPOINT"]) {
        assert.deepStrictEqual(one(name, { [name]: value }), [safe, "environment"])
      }
    }
    const hostile = "http://pro\u001b]0;t\u0007xy\n:1\u202e"
    const all = besideDaemon({ HTTP_PROXY: hostile }, { HTTP_PROXY: "http://other:1" })
    const { err, out } = await shown("config", { settings: all }, {})
    assert.notMatch(out + err, /[\u001b\u0007\u202e]/)
    assert.include(out, "\\n:1\\u202e")
  })

  it("config shows what the running daemon has in place of this shell's values, without passwords", async () => {
    const all = besideDaemon(
      { HTTP_PROXY: "http://me:old@proxy:1", https_proxy: "http://proxy:2", PYRO_POOL_MEMBERS: "3", NO_PROXY: "x" },
      { HTTP_PROXY: "http://me:new@proxy:1", ALL_PROXY: "http://a:b@proxy:3", NO_PROXY: "x", PYRO_WORKSPACE: "fix" }
    )
    assert.deepStrictEqual(all.flatMap(({ daemon, name }) => daemon === undefined ? [] : [[name, daemon]]), [
      ["PYRO_POOL_MEMBERS", { source: "environment", value: 3 }],
      ["https_proxy", { source: "environment", value: "http://proxy:2" }],
      ["HTTP_PROXY", { source: "environment", value: "http://***@proxy:1" }],
      ["ALL_PROXY", { source: "default" }]
    ])
    assert.notMatch(JSON.stringify(all), /:old@|:new@|a:b@/)
    const { err, out } = await shown("config", { settings: all }, {})
    assert.match(out, /\nPYRO_POOL_MEMBERS +3 microVMs +daemon\n/)
    assert.match(out, /\nhttps_proxy +http:\/\/proxy:2 +daemon\n/)
    assert.match(out, /\nALL_PROXY +none +daemon\n/)
    assert.match(out, /\nNO_PROXY +x +environment\n/)
    assert.include(
      err,
      "pyro: warning: the running daemon has other values than this shell: PYRO_POOL_MEMBERS, https_proxy, HTTP_PROXY, " +
        "ALL_PROXY; to use this shell's: pyro daemon stop (workspaces go on)\n"
    )
  })

  it("config warns of nothing beside a daemon with the same values, or one that has ended", async () => {
    const same = { HTTP_PROXY: "http://proxy:1" }
    assert.isTrue(besideDaemon(same, { ...same, PYRO_POOL_MEMBERS: "2" }).every(({ daemon }) => daemon === undefined))
    daemon!.kill("SIGKILL")
    await once(daemon!, "close")
    const all = settings({})
    assert.isTrue(all.every(({ daemon }) => daemon === undefined))
    assert.notInclude((await shown("config", { settings: all }, {})).err, "warning")
  })

  it("people see pyro's own variables, and others that are set", async () => {
    const { err, out } = await shown("config", {
      settings: settings({ NO_PROXY: "x", PATH: "/bin", PYRO_POOL_MEMBERS: "5" })
    }, {})
    assert.match(out, /^SETTING +VALUE +FROM\n/)
    assert.match(out, /\nPYRO_POOL_MEMBERS +5 microVMs +environment\n/)
    assert.match(out, /\nPYRO_ACCELERATOR +kvm if a guest kernel boots on it, else tcg +default\n/)
    assert.match(out, /\nNO_PROXY +x +environment\n/)
    assert.notMatch(out, /\n(PATH|HTTP_PROXY|PYRO_FAULT) /)
    assert.include(err, "pyro daemon stop")
  })
})
