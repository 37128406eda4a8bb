import { afterAll, assert, describe, it } from "vitest"
import { toldError } from "../support/daemon/told-error.ts"
import { installation } from "../support/installation.ts"
import { until } from "../support/pyro-cli.ts"
import { crowdTest } from "../support/suites/crowd-test.ts"

const pyro = installation("pyro-crowd-")
const { call, create, daemonPid, json, list, logs, sh, step } = pyro
afterAll(pyro.close)

describe("many at once", { concurrent: false }, () => {
  crowdTest(pyro, 5)

  it("one of two concurrent creations of a name succeeds", async () => {
    const both = await Promise.all(
      [1, 2, 3].map(() =>
        call(["workspace", "create", "--mem-mib", "256", "--disk-mib", "512", "--name", "twin", "--json"])
      )
    )
    assert.deepStrictEqual(both.map(({ code }) => code).sort(), [0, 1, 1])
    for (const one of both) if (one.code !== 0) assert.strictEqual(toldError(one).code, "workspace_name_taken")
    assert.strictEqual((await list()).filter(({ name }) => name === "twin").length, 1)
  })

  it("one of several concurrent deletes succeeds, and the others report a missing workspace", async () => {
    const all = await Promise.all([1, 2, 3, 4].map(() => call(["workspace", "delete", "twin", "--json"])))
    assert.deepStrictEqual(all.map(({ code }) => code).sort(), [0, 1, 1, 1])
    for (const one of all) if (one.code !== 0) assert.strictEqual(toldError(one).code, "workspace_not_found")
  })

  it("a client of a workspace that another client deletes, stops or resets gets an error that says so", async () => {
    const pid = await daemonPid()
    for (const verb of ["delete", "stop", "reset"]) {
      const { id } = await create([])
      const running = call(["workspace", "exec", id, "--json", "--", "sleep", "1000"])
      // Else it may begin after the reset, in the new machine, and rightly run on.
      await until("its command", async () => (await logs(id)).some(({ outcome }) => outcome === "running"))
      const busy = (async () => {
        const codes = new Set<string>()
        for (;;) {
          const { code, stdout } = await call(["workspace", "exec", id, "--json", "--", "true"])
          const document = JSON.parse(stdout.toString()) as { readonly error?: { readonly code: string } }
          codes.add(document.error?.code ?? (code === 0 ? "ran" : `status ${code}`))
          if (code !== 0 || codes.size > 1 || verb === "reset") return codes
        }
      })()
      const writer = call(["workspace", "file", "write", id, "note", "--text", "x", "--json"])
      const worked = await call(["workspace", verb, id])
      assert.strictEqual(worked.code, 0, worked.stderr)
      const asked = await Promise.all([running, busy, writer])
      assert.notStrictEqual(asked[0].code, 0)
      assert.include(["vm_failed", "workspace_not_ready", "workspace_not_found"], toldError(asked[0]).code, verb)
      for (const code of asked[1]) {
        assert.include(["ran", "vm_failed", "workspace_not_ready", "workspace_not_found"], code, verb)
      }
      if (verb !== "delete") await json(["workspace", "delete", id])
    }
    assert.strictEqual(await daemonPid(), pid, "the daemon has died")
  })

  it("concurrent steps of one workspace run one after the other", async () => {
    const { id } = await create([])
    const verbs = ["stop", "start", "reset", "stop", "start", "reset", "start", "update"]
    const all = await Promise.all(
      verbs.map((verb) => call(["workspace", verb, id, ...(verb === "update" ? ["--label", "x=1"] : [])]))
    )
    for (const { code, stderr } of all) assert.strictEqual(code, 0, stderr)
    await step("start", id)
    assert.strictEqual(await sh(id, "echo fine"), "fine")
    const [last] = await Promise.all([call(["workspace", "delete", id]), call(["workspace", "start", id])])
    assert.strictEqual(last.code, 0)
    assert.isFalse((await list()).some((one) => one.id === id))
  })
})
