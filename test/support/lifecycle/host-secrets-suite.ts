import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { until } from "../pyro-cli.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { operations } from "./operations.ts"
import { rewindSteps } from "./rewind-steps.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

const VALUE = "correct-horse-battery-staple"
/** The value as no redaction knows it. */
const CODED = "rev | tr a-z b-za"
const coded = [...VALUE].reverse().join("").replace(
  /[a-z]/g,
  (letter) => letter === "z" ? "a" : String.fromCharCode(letter.charCodeAt(0) + 1)
)

const BOUND = { secrets: { TOKEN: VALUE }, secret_http: ["TOKEN@api.test.net"], allow_hosts: ["api.test.net"] }

/** Ways by which the value of a secret that only a host gets could reach the guest, whatever the VMM. */
export const hostSecretsSuite = (name: string, driver: LifecycleDriver) => {
  let client: WorkspacesClient
  beforeAll(async () => {
    client = await driver.open()
    client.setForNext("PYRO_REWIND_MIB", "2048")
    client.setForNext("PYRO_REWIND_EVERY_MS", "0")
    await operations(() => client).create("a", BOUND)
  })
  afterAll(() => driver.close(client))

  let started = 0
  const known = operations(() => client)
  const { call, create, sh, status } = known

  /** Scripts that print what the guest has in each place, in a coding. */
  const inPlaces: ReadonlyArray<readonly [string, (workspace: string) => Promise<string>]> = [
    ["the variable of a command", (workspace) => sh(workspace, `printf %s "$TOKEN" | ${CODED}`)],
    [
      "a variable that a command asks for",
      (workspace) => sh(workspace, `printf %s "$T" | ${CODED}`, { secret_env: ["TOKEN=T"] })
    ],
    ["a shell", async (workspace) => {
      const { shellId } = await call<{ readonly shellId: string }>("shell-open", {
        workspace,
        command: ["sh", "-c", `printf '%s\\n' "$T" | ${CODED}; sleep 1000`],
        secret_env: ["TOKEN=T"]
      })
      let output = ""
      await until("the shell's line", async () => {
        output = (await call<{ readonly output: string }>("shell-read", { workspace, shell_id: shellId })).output
        return output.includes("\n")
      })
      return output.trim()
    }],
    ["a service, and the check of its readiness", async (workspace) => {
      const print = (file: string) => `printf %s "$T" | ${CODED} > ${file}`
      await sh(workspace, "rm -f service check")
      await call("service-start", {
        workspace,
        name: `with-${++started}`,
        command: ["sh", "-c", `${print("service")}; sleep 1000`],
        ready_command: `test -s service && ${print("check")}`,
        secret_env: ["TOKEN=T"]
      })
      return sh(workspace, "cat service; echo; cat check")
    }]
  ]

  const assertNoValue = async (workspace: string) => {
    const placeholder = await sh(workspace, "echo $TOKEN")
    assert.match(placeholder, /^pyro_secret_TOKEN_[0-9a-f]{32}$/)
    for (const [what, printed] of inPlaces) {
      const output = await printed(workspace)
      assert.notInclude(output, coded, `${what} in ${workspace}`)
      assert.notEqual(output, "", what)
    }
  }

  describe(`a secret that only a host gets, over ${name}`, { concurrent: false }, () => {
    it("no program of the guest has the value", async () => {
      assert.deepStrictEqual((await status("a")).secretCommands, [])
      await assertNoValue("a")
    })

    it("a fork and a workspace after a reset have no value", async () => {
      await call("snapshot", { workspace: "a", name: "s" })
      await call("fork", { workspace: "a", name: "b" })
      await assertNoValue("b")
      await call("fork", { workspace: "a", name: "c", snapshot: "s" })
      await assertNoValue("c")
      await call("reset", { workspace: "a", snapshot: "s" })
      await assertNoValue("a")
    })

    it("a workspace after a rewind has no value", async () => {
      await create("r", BOUND)
      const { rewind, step } = rewindSteps(known)
      await step("r", "echo before > rewound")
      await step("r", "echo after > rewound")
      await rewind("r")
      assert.strictEqual(await sh("r", "cat rewound"), "before")
      await assertNoValue("r")
    })

    it("candidates of a try, their check and the kept one have no value", async () => {
      const print = (file: string) => `printf %s "$TOKEN" | ${CODED} > ${file}; printf %s "$TOKEN" > ${file}.plain`
      const { candidates } = await call<{ readonly candidates: ReadonlyArray<{ readonly outcome: string }> }>("try", {
        workspace: "a",
        candidates: [{ name: "way", command: print("candidate") }],
        check_script: `${print("check")}; env`,
        keep: "way"
      })
      assert.strictEqual(candidates[0]!.outcome, "passed", JSON.stringify(candidates))
      assert.notInclude(JSON.stringify(candidates), VALUE)
      for (const file of ["candidate", "check"]) {
        assert.notInclude(await sh("a", `cat ${file}`), coded, file)
        assert.match(await sh("a", `cat ${file}.plain`), /^pyro_secret_TOKEN_/, file)
      }
      await assertNoValue("a")
    })

    it("a workspace from a saved snapshot has no value, also if a person gives the secret to its host again", async () => {
      await call("save", { workspace: "a", name: "kept" })
      await call("create", { name: "g", from_snapshot: "kept" })
      assert.deepStrictEqual((await status("g")).secrets, [])
      assert.notInclude(await sh("g", `printf %s "$TOKEN" | ${CODED}; env | ${CODED}`), coded)
      await call("create", { name: "h", from_snapshot: "kept", ...BOUND })
      await assertNoValue("h")
      await call("saved-delete", { names: ["kept"] })
    })

    it("a new value and the end of the host give commands no value", async () => {
      await call("update", { workspace: "a", secrets: { TOKEN: VALUE } })
      await assertNoValue("a")
      await call("update", { workspace: "a", clear_secret_http: ["TOKEN@api.test.net"] })
      assert.notInclude(await sh("a", `printf %s "$TOKEN" | ${CODED}`, { secret_env: ["TOKEN"] }), coded)
    })

    it("a secret and a host that a person removed do not come back with a snapshot or in a fork of one", async () => {
      await call("update", { workspace: "a", clear_secrets: ["TOKEN"] })
      await call("reset", { workspace: "a", snapshot: "s" })
      await call("fork", { workspace: "a", name: "d", snapshot: "s" })
      for (const workspace of ["a", "d"]) {
        const { secretHttp, secrets } = await status(workspace)
        assert.deepStrictEqual([secrets, secretHttp], [[], []], workspace)
      }
    })

    it("commands have the value if the person says so, and the status shows it", async () => {
      await create("e", { ...BOUND, secret_commands: ["TOKEN"] })
      assert.deepStrictEqual((await status("e")).secretCommands, ["TOKEN"])
      assert.strictEqual(await inPlaces[1]![1]("e"), coded)
      // Without a request, a command has the placeholder.
      assert.notInclude(await inPlaces[0]![1]("e"), coded)
      const refused = await create("f", { ...BOUND, secret_commands: ["OTHER"] }).then(() => "it succeeded", String)
      assert.include(refused, "there is no secret OTHER")
    })
  })
}
