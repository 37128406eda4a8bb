import { Effect, Schema } from "effect"
import * as RpcSerialization from "effect/rpc/RpcSerialization"
import { assert, describe, it } from "vitest"
import type { PureSchema } from "../../../src/contract/rows/operation.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { byName, named, table } from "../../../src/contract/text/names.ts"
import { layerSerialization } from "../../../src/contract/wire/serialization.ts"
import { ODD_NAMES, oddNames } from "../../support/odd-names.ts"

const Strings = byName(Schema.String)

/** A payload as the other end of the daemon's socket gets it. */
const across = (name: string, payload: object): unknown => {
  const schema = operations.find((row) => row.name === name)!.payload() as PureSchema
  const crossed = Effect.runSync(
    Effect.map(RpcSerialization.RpcSerialization, (codec) => {
      const binary = codec.codecFor(schema) as PureSchema
      const encoded = Schema.encodeSync(binary)(Schema.decodeUnknownSync(schema)(payload)) as never
      const { decode, encode } = codec.makeUnsafe()
      const [message] = decode(
        encode({ _tag: "Request", id: "1", tag: name, payload: encoded, headers: [] }) as Uint8Array
      )
      return Schema.decodeUnknownSync(binary)((message as { readonly payload: unknown }).payload)
    }).pipe(Effect.provide(layerSerialization()))
  )
  return crossed
}

describe("objects of names that someone else chose", () => {
  it("named objects have only their own entries", () => {
    const empty = named<string>([])
    for (const name of ODD_NAMES) {
      assert.isUndefined(empty[name])
      assert.isFalse(name in empty)
      assert.isUndefined(table({ a: 1 })[name])
    }
    empty["__proto__"] = "x"
    assert.deepStrictEqual(Object.entries(empty), [["__proto__", "x"]])
    assert.strictEqual(JSON.stringify(named(Object.entries(oddNames("1")))), JSON.stringify(oddNames("1")))
  })

  it("named objects keep every name through decoding and encoding", () => {
    const decoded = Schema.decodeUnknownSync(Strings)(oddNames("x"))
    assert.deepStrictEqual(Object.keys(decoded), [...ODD_NAMES])
    assert.strictEqual(decoded["__proto__"], "x")
    const encoded = Schema.encodeSync(Strings)(decoded)
    assert.strictEqual(JSON.stringify(encoded), JSON.stringify(oddNames("x")))
  })

  it("named objects report the path of a wrong value", () => {
    assert.throws(() => Schema.decodeUnknownSync(Strings)(JSON.parse("{\"__proto__\":1}")), /__proto__/)
    for (const wrong of [null, [], "text", 1]) assert.throws(() => Schema.decodeUnknownSync(Strings)(wrong))
  })

  it.each(["workspace.exec", "run"])("names such as __proto__ reach the daemon as variables of %s", (name) => {
    const payload = name === "run" ? { environment: "debian:12" } : { workspace: "a" }
    const { env } = across(name, { ...payload, command: ["env"], env: oddNames("v") }) as {
      readonly env: Readonly<Record<string, string>>
    }
    assert.deepStrictEqual(Object.entries(env), ODD_NAMES.map((odd) => [odd, "v"]))
  })

  it.each(["workspace.create", "workspace.list", "workspace.update"])(
    "names such as __proto__ reach the daemon as labels of %s",
    (name) => {
      const payload = name === "workspace.update" ? { workspace: "a" } : {}
      const { labels } = across(name, { ...payload, labels: oddNames("v") }) as {
        readonly labels: Readonly<Record<string, string>>
      }
      assert.deepStrictEqual(Object.entries(labels), ODD_NAMES.map((odd) => [odd, "v"]))
    }
  )

  it("a printer other than Node's gets the entries", () => {
    const print = Reflect.get(named([["a", 1]]), Symbol.for("nodejs.util.inspect.custom")) as (depth: number) => string
    assert.strictEqual(print.call(named([["a", 1]]), 2), "{\"a\":1}")
  })
})
