import { Schema } from "effect"
import { assert, describe, it } from "vitest"
import { CommandNotFound, ImageDamaged, InvalidRequest, NoSpace, PyroError } from "../../../src/contract/errors.ts"
import { exitStatus } from "../../../src/contract/exit-status.ts"
import { snakeCase } from "../../../src/contract/snake.ts"

/** One value of every class of the family, with a different text in each of its fields. */
const samples = PyroError.members.map((error) => {
  const make = error as unknown as {
    new(fields: object): PyroError
    readonly fields: Readonly<Record<string, unknown>>
    readonly _tag: string
  }
  const fields = Object.keys(make.fields).filter((name) => name !== "_tag")
  return new make(
    Object.fromEntries(
      fields.map((name) =>
        name === "known" ? [name, ["sample-known"]] : [name, name.endsWith("Mib") ? 4711 : `sample-${name}`]
      )
    )
  )
})

describe("the error family", () => {
  it.each(samples.map((error) => [error._tag, error] as const))("%s names its code after its tag", (tag, error) => {
    assert.strictEqual(error.code, snakeCase(tag))
  })

  it.each(samples.map((error) => [error._tag, error] as const))("%s puts every field into its message", (_, error) => {
    for (const [name, value] of Object.entries(Schema.encodeSync(PyroError)(error))) {
      if (name !== "_tag") assert.include(error.message, String(value), `${name} is missing`)
    }
  })

  it.each(samples.map((error) => [error._tag, error] as const))("%s survives JSON, in snake_case", (_, error) => {
    const json = JSON.parse(JSON.stringify(Schema.encodeSync(PyroError)(error)))
    for (const name of Object.keys(json)) assert.match(name, /^_tag$|^[a-z]+(_[a-z]+)*$/)
    const back = Schema.decodeUnknownSync(PyroError)(json)
    assert.strictEqual(back.constructor, error.constructor)
    assert.strictEqual(back.message, error.message)
  })

  it("has distinct codes", () => {
    assert.strictEqual(new Set(samples.map((error) => error.code)).size, samples.length)
  })

  it("says what to do next", () => {
    assert.strictEqual(
      new NoSpace({ where: "cache", path: "/c", neededMib: 3, availableMib: 1 }).message,
      "no room in the cache at /c: 3 MiB needed, 1 MiB free; free some space, for instance with: pyro gc"
    )
  })
})

describe("exit statuses", () => {
  it("keeps pyro's own failures apart from the guest's statuses", () => {
    const damaged = new ImageDamaged({ path: "/x", detail: "short" })
    assert.deepStrictEqual([exitStatus(damaged, "guest"), exitStatus(damaged, "own")], [125, 1])
  })

  it("is 2 for a wrong request and 127 for a missing command", () => {
    assert.strictEqual(exitStatus(new InvalidRequest({ field: "", detail: "" }), "guest"), 2)
    assert.strictEqual(exitStatus(new CommandNotFound({ command: "x" }), "guest"), 127)
  })

  it("never takes 0 or a status above 127 for a failure", () => {
    for (const error of samples) {
      for (const family of ["guest", "own"] as const) {
        const status = exitStatus(error, family)
        assert.isTrue(status >= 1 && status <= 127, `${error._tag}: ${status}`)
      }
    }
  })
})
