import { Effect, Layer, Result, Schema, SchemaAST } from "effect"
import { afterAll, assert, describe, it } from "vitest"
import { halfCharacterIn } from "../../../src/contract/errors/half-character.ts"
import type { PureSchema } from "../../../src/contract/rows/operation.ts"
import { operations } from "../../../src/contract/rows/operations.ts"
import { Pyro } from "../../../src/contract/rows/Pyro.ts"
import { camelCase, payloadOf } from "../../../src/sdk/model/options.ts"
import { makePromises } from "../../../src/sdk/promises.ts"
import { optionPlaces } from "../../../src/sdk/promises/option-places.ts"
import { replaced, sampleOf } from "../../support/daemon/samples.ts"
import { unfakedPyro } from "../../support/daemon/unfaked-pyro.ts"
import { handleService, rejection } from "./handle-service.ts"

/** Half of a character, and other ways to write it. */
const HALVES = ["\ud800", "a\udc00b", "\ud83d.txt"]

type Json = Readonly<Record<string, unknown>>

/** JSON of a row's payload with one field beside those that it needs, for each field that may have a text. */
const requests = (payload: PureSchema): ReadonlyArray<readonly [field: string, json: Json]> => {
  const encoded = SchemaAST.toEncoded(payload.ast)
  if (!SchemaAST.isObjects(encoded)) return []
  const sample = (of: SchemaAST.AST) => sampleOf(Schema.make<Schema.Top>(of), "x")
  const needed = encoded.propertySignatures.filter(({ type }) => !SchemaAST.isOptional(type))
  const least = Object.fromEntries(needed.map(({ name, type }) => [name, sample(type)]))
  return encoded.propertySignatures.map(({ name, type }) => [String(name), { ...least, [name]: sample(type) }] as const)
}

const options = (json: Json) =>
  Object.fromEntries(Object.entries(json).map(([name, value]) => [camelCase(name), value]))

describe("half of a character", () => {
  it.each(operations.map((row) => [row.name, row] as const))("%s refuses it in each of its texts", async (_, row) => {
    for (const [field, json] of requests(row.payload())) {
      for (const half of HALVES) {
        for (const wrong of replaced(json[field], half)) {
          const refused = await Effect.runPromise(Effect.result(payloadOf(row, options({ ...json, [field]: wrong }))))
          assert.isTrue(Result.isFailure(refused), `${field}: ${JSON.stringify(wrong)}`)
          const { _tag, field: named } = Result.getOrThrow(Result.flip(refused))
          assert.deepStrictEqual([_tag, named.split(".")[0]], ["InvalidRequest", field])
        }
      }
    }
  })

  it("a path, a script, a variable and a name of a variable with it are refused by their names", async () => {
    const { asked, fix } = handleService()
    const ws = await fix()
    const before = asked.length
    const refused: ReadonlyArray<readonly [() => Promise<unknown>, string]> = [
      [() => ws.files.read("\ud800"), "path"],
      [() => ws.files.write("ok", "a\ud800"), "text"],
      [() => ws.files.write("ok", ["a", "b\udfff"].values() as never), "content"],
      [() => ws.files.rename("ok", "\udfff"), "target"],
      [() => ws.exec("echo \ud800"), "script"],
      [() => ws.exec(["echo", "\ud800"]), "command.1"],
      [() => ws.exec("true", { env: { A: "\ud800" } }), "env.A"],
      [() => ws.exec("true", { env: { "\ud800": "1" } }), "env"],
      [() => ws.exec("cat", { stdin: "\ud800" }), "stdin"],
      [() => ws.services.start("\ud800", "true"), "name"]
    ]
    for (const [work, field] of refused) {
      assert.deepInclude(await rejection(work()), { _tag: "InvalidRequest", code: "invalid_request", field })
    }
    assert.lengthOf(asked, before)
  })

  it("the check names the field of a request, and takes whole characters and bytes", () => {
    assert.isUndefined(halfCharacterIn({ path: "😀", bytes: Uint8Array.of(0xed, 0xa0, 0x80), list: [null, 1, "é"] }))
    assert.strictEqual(halfCharacterIn({ execId: ["a", "\ud800"] }, () => "exec_id")?.field, "exec_id.1")
    assert.strictEqual(halfCharacterIn("\ud800")?.field, "")
  })
})

/** No options, and no signals. */
const NO_OPTIONS = [5, "-la", true, ["-la"], () => {}]
const NO_SIGNALS = [{}, "x", 5, true, () => {}, new EventTarget(), new AbortController()]

const isIterable = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === "object" && value !== null && Symbol.asyncIterator in value

/** The rejection of a promise, or of the first read of a stream. */
const refusal = (work: unknown) =>
  rejection(isIterable(work) ? work[Symbol.asyncIterator]().next() : work as Promise<unknown>)

describe("options of a caller without types", async () => {
  const { asked, connect, fix } = handleService(undefined, {
    shell: {
      ...unfakedPyro.workspace.shell,
      open: () => Effect.succeed({ shellId: "ab", pid: 1 } as never),
      close: () => Effect.succeed({} as never)
    },
    port: {
      ...unfakedPyro.workspace.port,
      list: () => Effect.succeed({ ports: [{ guestPort: 80, hostPort: 8080, url: "" }] } as never)
    }
  })
  const client = connect()
  const ws = await fix()
  const roots: Readonly<Record<string, unknown>> = {
    Workspace: ws,
    Process: await ws.spawn("true"),
    Shell: await ws.shell(),
    Port: await ws.port(80)
  }
  const methodOf = (name: string) =>
    name.split(".").reduce<unknown>(
      (at, key) => (at as Record<string, unknown>)[key],
      { ...client, ...roots }
    ) as (...args: ReadonlyArray<unknown>) => unknown
  afterAll(() => client.close())

  it.each([...optionPlaces])("%s refuses what is no options, and what is no signal", async (name, place) => {
    const method = methodOf(name)
    const args = Array.from({ length: place }, () => "x")
    const before = asked.length
    for (const wrong of NO_OPTIONS) {
      assert.deepInclude(await refusal(method(...args, wrong)), { code: "invalid_request", field: "options" })
    }
    for (const signal of NO_SIGNALS) {
      assert.deepInclude(await refusal(method(...args, { signal })), { code: "invalid_request", field: "signal" })
    }
    assert.lengthOf(asked, before)
    const reason = new Error("stop")
    assert.strictEqual(await refusal(method(...args, { signal: AbortSignal.abort(reason) })), reason)
  })

  it("each method of a handle has a place of its options", () => {
    const names = (at: object, prefix: string): ReadonlyArray<string> =>
      Object.entries(at).flatMap(([key, value]: readonly [string, unknown]) =>
        typeof value === "function"
          ? [`${prefix}${key}`]
          : ["services", "files", "ports", "network", "snapshots", "saved"].includes(key)
          ? names(value as object, `${prefix}${key}.`)
          : []
      )
    const all = [
      ...names(client, ""),
      ...Object.entries(roots).flatMap(([name, at]) => names(at as object, `${name}.`))
    ]
    assert.sameMembers([...optionPlaces.keys()], all.filter((name) => name !== "close"))
  })

  it("a callback that is no function, a stdin that is none, and candidates that are none are refused by name", async () => {
    const child = await ws.spawn("x")
    const other = await ws.spawn("x")
    const shell = await ws.shell()
    const given: ReadonlyArray<readonly [() => unknown, string]> = [
      [() => ws.exec("x", { onStdout: {} as never }), "onStdout"],
      [() => ws.exec("x", { onStderr: "log" as never }), "onStderr"],
      [() => ws.exec("x", { stdin: 5 as never }), "stdin"],
      [() => ws.exec("x", { stdin: {} as never }), "stdin"],
      [() => ws.exec(5 as never), "command"],
      [() => ws.files.write("x", undefined as never), "content"],
      [() => ws.files.write("x", 5 as never), "content"],
      [() => ws.files.write("x", {} as never), "content"],
      [() => ws.try(5 as never), "candidates"],
      [() => ws.try([null] as never), "candidates.0"],
      [() => ws.try([{ comand: "true" }] as never), "candidates.0.comand"],
      [() => ws.patch(5 as never), "patchBytes"],
      [() => ws.network.set(5 as never), "policy"],
      [() => child.resize(null as never), "size"],
      [() => child.resize({ cols: 1, rows: 1, depth: 1 } as never), "depth"],
      [() => shell.resize(null as never), "size"],
      [() => child.stdin.getWriter().write(5 as never), "stdin"],
      [() => other.stdin.getWriter().write("\ud800"), "stdin"],
      [() => shell.input.getWriter().write({} as never), "input"],
      [() => client.up({ onLine: {} as never }), "onLine"],
      [() => client.up({ directory: 5 as never }), "directory"],
      [() => client.up({ directory: "\ud800" }), "directory"],
      [() => client.up({ recreated: true } as never), "recreated"],
      [() => client.down({ delete: "yes" as never }), "delete"]
    ]
    for (const [work, field] of given) {
      assert.deepInclude(await refusal(work()), { _tag: "InvalidRequest", code: "invalid_request", field })
    }
  })
})

describe("calls by rows of a caller without types", () => {
  const pyro = makePromises(Layer.succeed(Pyro, unfakedPyro))
  afterAll(() => pyro.close())
  type Call = ((...args: ReadonlyArray<unknown>) => unknown) & { readonly stream?: Call }
  const callOf = (name: string) =>
    name.split(".").reduce<unknown>((at, word) => (at as Record<string, unknown>)[word], pyro) as Call

  it.each(operations.map(({ name }) => name))("%s refuses what is no options, no signal and no stdin", async (name) => {
    const call = callOf(name)
    for (const one of call.stream === undefined ? [call] : [call, call.stream]) {
      for (const wrong of [...NO_OPTIONS, null]) {
        assert.deepInclude(await refusal(one(wrong)), { code: "invalid_request", field: "options" })
        assert.deepInclude(await refusal(one({}, wrong)), { code: "invalid_request", field: "options" })
      }
      for (const signal of NO_SIGNALS) {
        assert.deepInclude(await refusal(one({}, { signal })), { code: "invalid_request", field: "signal" })
      }
      assert.deepInclude(await refusal(one({}, { signals: 1 })), { code: "invalid_request", field: "signals" })
    }
  })
})
