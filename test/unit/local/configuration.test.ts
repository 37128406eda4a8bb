import { Effect } from "effect"
import { afterEach, assert, describe, it } from "vitest"
import { showConfiguration } from "../../../src/local/configuration.ts"
import { Paths } from "../../../src/system/files/Paths.ts"
import { variables } from "../../../src/system/settings/variables.ts"
import { shown } from "../cli/shown.ts"

const before = { ...process.env }

const settings = (environment: Readonly<Record<string, string>>) => {
  for (const name of Object.keys(variables)) delete process.env[name]
  Object.assign(process.env, environment)
  const paths = { stateDir: "/state", cacheDir: "/cache", memoryDir: "/dev/shm/pyro-0-a" }
  return Effect.runSync(Effect.provideService(showConfiguration, Paths, paths)).settings
}

const one = (name: string, environment: Readonly<Record<string, string>>) => {
  const { source, value } = settings(environment).find((setting) => setting.name === name)!
  return [value, source]
}

describe("pyro config", () => {
  afterEach(() => {
    Object.assign(process.env, before)
  })

  it("config has every variable that pyro reads", () => {
    assert.deepStrictEqual(settings({}).map(({ name }) => name), Object.keys(variables))
  })

  it("config shows the value that holds, and where it comes from", () => {
    assert.deepStrictEqual(one("PYRO_POOL_MEMBERS", {}), [2, "default"])
    assert.deepStrictEqual(one("PYRO_POOL_MEMBERS", { PYRO_POOL_MEMBERS: "" }), [2, "default"])
    assert.deepStrictEqual(one("PYRO_POOL_MEMBERS", { PYRO_POOL_MEMBERS: "5" }), [5, "environment"])
    assert.deepStrictEqual(one("PYRO_WORKSPACE", {}), [undefined, "default"])
    assert.deepStrictEqual(one("PYRO_STATE_DIR", {}), ["/state", "default"])
    assert.deepStrictEqual(one("PYRO_STATE_DIR", { PYRO_STATE_DIR: "state" }), ["/state", "environment"])
    assert.deepStrictEqual(one("PYRO_MEMORY_DIR", {}), ["/dev/shm", "default"])
  })

  it("config shows no password and no key", () => {
    for (
      const [value, safe] of [["http://me:p/w@proxy:3128", "http://***@proxy:3128"], [
        "me:pw@proxy",
        "***@proxy"
      ]] as const
    ) {
      assert.deepStrictEqual(one("https_proxy", { https_proxy: value }), [safe, "environment"])
    }
    assert.deepStrictEqual(one("HTTP_PROXY", { HTTP_PROXY: "http://proxy:3128" }), ["http://proxy:3128", "environment"])
    const headers = { OTEL_EXPORTER_OTLP_HEADERS: "authorization=key" }
    assert.deepStrictEqual(one("OTEL_EXPORTER_OTLP_HEADERS", headers), ["(set)", "environment"])
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
