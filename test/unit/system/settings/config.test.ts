import { Effect, Result } from "effect"
import * as fs from "node:fs"
import * as path from "node:path"
import { assert, describe, it } from "vitest"
import { checkSettings, ProcessVariables, setting } from "../../../../src/system/settings/config.ts"
import { type Variable, type VariableName, variables } from "../../../../src/system/settings/variables.ts"

const root = path.resolve(import.meta.dirname, "../../../..")

const environmentOf = (values: Readonly<Record<string, string>>) => Effect.provideService(ProcessVariables, values)

const valueOf = (name: VariableName, text: string) =>
  Effect.runSync(Effect.result(environmentOf({ [name]: text })(setting(name))))

/** Files of a folder with one of the endings. */
const sources = (folder: string, ending: RegExp): ReadonlyArray<string> =>
  fs.readdirSync(path.join(root, folder), { recursive: true, encoding: "utf8" })
    .filter((name) => ending.test(name)).map((name) => path.join(folder, name))

describe("environment variables", () => {
  it.each(
    [
      ["PYRO_POOL_MEMBERS", "0", 0],
      ["PYRO_POOL_MEMBERS", "64", 64],
      ["PYRO_POOL_MEMBERS", "", 2],
      ["PYRO_DAEMON_IDLE_MS", "300", 300],
      ["PYRO_DEADLINE_SCALE", "2.5", 2.5],
      ["PYRO_ACCELERATOR", "tcg", "tcg"],
      ["PYRO_ACCELERATOR", "", undefined],
      ["PYRO_QEMU", "/opt/a, b/qemu", "/opt/a, b/qemu"],
      ["PYRO_STATE_DIR", "/tmp/state", "/tmp/state"]
    ] as const
  )("the environment variable %s=%j means %j", (name, text, value) => {
    assert.deepStrictEqual(valueOf(name, text), Result.succeed(value))
  })

  it("an absent environment variable has its default", () => {
    const read = environmentOf({})(Effect.all([setting("PYRO_POOL_MEMBERS"), setting("PYRO_QEMU")]))
    assert.deepStrictEqual(Effect.runSync(read), [2, undefined])
  })

  it.each(
    [
      ["PYRO_POOL_MEMBERS", "two", "an integer from 0 to 64"],
      ["PYRO_POOL_MEMBERS", "65", "an integer from 0 to 64"],
      ["PYRO_POOL_MEMBERS", "-1", "an integer from 0 to 64"],
      ["PYRO_POOL_MEMBERS", "1e1", "an integer from 0 to 64"],
      ["PYRO_POOL_MEMBERS", " 2", "an integer from 0 to 64"],
      ["PYRO_DAEMON_IDLE_MS", "10m", "an integer from 0 to 31536000000"],
      ["PYRO_DEADLINE_SCALE", "0.5", "a number from 1 to 1000"],
      ["PYRO_ACCELERATOR", "hvf", "kvm or tcg"],
      ["PYRO_QEMU", "qemu-system-x86_64", "an absolute path of the QEMU program"],
      ["PYRO_STATE_DIR", "state", "an absolute path of a directory"],
      ["PYRO_CACHE_DIR", "./cache", "an absolute path of a directory"],
      ["PYRO_FLATTEN_AT", "1", "an integer from 2 to 256"]
    ] as const
  )(
    "the environment variable %s=%j is refused with the variable, the value and the allowed values",
    (variable, value, allowed) => {
      const failure = Result.getOrThrow(Result.flip(valueOf(variable, value)))
      assert.strictEqual(failure.code, "invalid_configuration")
      assert.deepInclude(failure, { variable, value, allowed })
      assert.strictEqual(
        failure.message,
        `the environment variable ${variable} is "${value}"; allowed: ${allowed}. ` +
          `Correct the value, or remove the variable: unset ${variable}`
      )
    }
  )

  it("a process checks all environment variables before its work", () => {
    const checked = (values: Readonly<Record<string, string>>) =>
      Effect.runSync(Effect.result(environmentOf(values)(checkSettings)))
    assert.isTrue(Result.isSuccess(checked({ PYRO_POOL_MEMBERS: "3", HOME: "/root" })))
    const refused = Result.getOrThrow(Result.flip(checked({ PYRO_POOL_MEMBERS: "3", PYRO_FLATTEN_AT: "x" })))
    assert.strictEqual(refused.variable, "PYRO_FLATTEN_AT")
  })

  it("an error about an environment variable has no control characters of its value", () => {
    const failure = Result.getOrThrow(Result.flip(valueOf("PYRO_ACCELERATOR", "\u001b[2Jtcg")))
    assert.notInclude(failure.message, "\u001b")
  })

  it("the table has every variable that tests and the bench set for pyro", () => {
    const files = [...sources("test", /\.ts$/), ...sources("bench", /\.ts$/)]
    const set = files.flatMap((file) =>
      [...fs.readFileSync(path.join(root, file), "utf8").matchAll(/\b(PYRO_[A-Z_]+): /g)].map(([, name]) => name!)
    )
    assert.deepStrictEqual([...new Set(set)].filter((name) => !Object.hasOwn(variables, name)), [])
    assert.include(set, "PYRO_STATE_DIR")
  })

  it("the table has every variable that the documents name", () => {
    const ofScripts = ["PYRO_LAB_DIR"]
    const named = [...sources("docs", /\.md$/), "README.md"].flatMap((file) =>
      fs.readFileSync(path.join(root, file), "utf8").match(/\bPYRO_[A-Z_]+\b/g) ?? []
    )
    assert.deepStrictEqual(named.filter((name) => !Object.hasOwn(variables, name) && !ofScripts.includes(name)), [])
  })

  it("the table says what pyro does without each variable that has no default", () => {
    const silent = Object.entries<Variable>(variables).filter(([, row]) =>
      row.default === undefined && row.otherwise === undefined
    )
    assert.deepStrictEqual(silent, [])
  })
})
