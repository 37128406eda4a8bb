import { assert, describe, it } from "@effect/vitest"
import { Effect, type Scope, Stream } from "effect"
import * as fs from "node:fs"
import { gzipSync } from "node:zlib"
import { InvalidRequest, type PyroError } from "../../../../src/contract/errors/errors.ts"
import type { CliSurface } from "../../../../src/contract/rows/operation.ts"
import { type Operation, operations } from "../../../../src/contract/rows/operations.ts"
import { payloadFields } from "../../../../src/contract/rows/payload-fields.ts"
import { payloadOf } from "../../../../src/contract/rows/payload-of.ts"
import { callOf, mapCalls, type PyroService } from "../../../../src/contract/rows/Pyro.ts"
import { snakeCase } from "../../../../src/contract/text/snake.ts"
import { boundPlaces } from "../../../../src/contract/wire/caller-project.ts"
import type { SpoolEntry } from "../../../../src/contract/wire/spool.ts"
import { makeSpool } from "../../../../src/daemon/spool/spool.ts"
import { packedSources } from "../../../../src/lib/seeding/model/packed.ts"
import { sampleOf } from "../../../support/daemon/samples.ts"
import { remoteClient, servePyro, socketFolder } from "../../../support/daemon/served-pyro.ts"

const fieldsOf = ({ cli }: Operation) => {
  const { hostPaths = [], imageSources = [] }: CliSurface = cli
  return { hostPaths, imageSources }
}

/** Each field of the table that may name a path of the machine. */
const fields = operations.flatMap((row) => {
  const { hostPaths, imageSources } = fieldsOf(row)
  return [
    ...hostPaths.map((field) => ({ row, field, prefix: "" })),
    ...imageSources.map((field) => ({ row, field, prefix: "oci-archive:" }))
  ]
})

/** The least request of a row with one of its paths. */
const requestOf = (row: Operation, field: string, value: string) => {
  const sample = sampleOf(row.payload(), "x") as Readonly<Record<string, unknown>>
  const needed = payloadFields(row.payload()).filter(({ required }) => required).map(({ name }) => name)
  const given = Object.entries(sample).flatMap(([name, text]) =>
    snakeCase(name) === field ? [[name, value]] : needed.includes(snakeCase(name)) ? [[name, text]] : []
  )
  return payloadOf(row.name, Object.fromEntries(given) as never)
}

interface Seen {
  readonly payload: Readonly<Record<string, unknown>>
  readonly places: unknown
  readonly packed: ReadonlyArray<string>
}

/** A daemon that looks at every request that it gets, and a client of another machine. */
const watched = Effect.gen(function*() {
  const seen: Array<Seen> = []
  const reached = new InvalidRequest({ field: "reached", detail: "the work has begun" })
  const folder = yield* socketFolder
  const spool = yield* makeSpool(`${folder}/spool`)
  const service = mapCalls(
    (row) => (payload: Seen["payload"], input: { readonly stdin?: Stream.Stream<Uint8Array> }) => {
      if (row.name === "spool.put") return spool.put(input.stdin!)
      const look = Effect.gen(function*() {
        seen.push({ payload, places: yield* boundPlaces, packed: [...(yield* packedSources).keys()] })
        return yield* reached
      })
      return row.kind === "unary" ? look : Stream.fromEffect(look)
    }
  )
  const { portable } = yield* servePyro(service, { socket: `${folder}/socket`, spool })
  return { seen, folder, client: yield* remoteClient(portable) }
})

const errorOf = (
  client: PyroService,
  row: Operation,
  payload: object
): Effect.Effect<PyroError, unknown, Scope.Scope> => {
  const call = callOf(client, row) as (payload: unknown) => unknown
  const asked = call(payload)
  return Effect.flip(
    row.kind === "unary"
      ? asked as Effect.Effect<unknown, PyroError>
      : Stream.runDrain(asked as Stream.Stream<unknown, PyroError>)
  )
}

const tree: ReadonlyArray<SpoolEntry> = [
  ["d", "", 0o755, 0],
  ["d", "sub", 0o755, 0],
  ["l", "sub/out", 0o777, 0, "/etc"],
  ["l", "out", 0o777, 0, "/etc/hostname"]
]
/** Sends the tree, which has no contents, and gives its id. */
const sent = (client: PyroService, facts?: unknown) => {
  const packed = gzipSync(JSON.stringify({ format: 1, entries: tree, ...(facts === undefined ? {} : { facts }) }))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(packed.length)
  const events = client.spool.put({}, { stdin: Stream.make<[Uint8Array]>(Buffer.concat([length, packed])) })
  return Effect.map(Stream.runCollect(events), (all) => all.flatMap((one) => one._tag === "Kept" ? [one.id] : [])[0]!)
}

describe("paths of a client of another machine", () => {
  for (const { field, prefix, row } of fields) {
    it.live(`never reach ${row.name} as ${prefix}${field}`, () =>
      Effect.gen(function*() {
        const { client, seen } = yield* watched
        const absent = field === "output" ? [] : [`spool:${"0".repeat(32)}`]
        for (const path of ["/etc/passwd", "/etc/", "relative", "spool:x", ...absent]) {
          const error = yield* errorOf(client, row, requestOf(row, field, `${prefix}${path}`))
          assert.strictEqual(error._tag, "InvalidRequest", path)
          assert.notStrictEqual((error as InvalidRequest).field, "reached", path)
        }
        assert.deepStrictEqual(seen, [])
      }))
  }

  it.live("are those of the files that it has sent, and nothing beside them", () =>
    Effect.gen(function*() {
      const { client, folder, seen } = yield* watched
      const row = operations.find(({ name }) => name === "workspace.sync.push")!
      const push = (value: string) => errorOf(client, row, requestOf(row, "source_path", value))
      const facts = { project: "/client/a/b", name: "b", left: [], skipped: [], notes: [], filtered: [] }
      assert.strictEqual(((yield* push(`spool:${yield* sent(client, facts)}`)) as InvalidRequest).field, "reached")
      const [{ packed, payload, places }] = seen as [Seen]
      const path = String(payload["sourcePath"])
      assert.include(path, folder)
      assert.deepStrictEqual([packed, places], [[path], { reading: [path], writing: [] }])
      // The request is over.
      assert.isFalse(fs.existsSync(path))
      assert.strictEqual(((yield* push(`spool:${yield* sent(client)}/sub`)) as InvalidRequest).field, "reached")
      for (
        const rest of ["/..", "/../..", "/sub/../../..", "/sub/out", "/sub/out/passwd", "/out", "/absent", "//etc"]
      ) {
        const error = yield* push(`spool:${yield* sent(client)}${rest}`)
        assert.notStrictEqual((error as InvalidRequest).field, "reached", rest)
      }
      for (const wrong of [{}, { ...facts, project: "/etc/../x" }, { ...facts, name: "a/b" }, { ...facts, left: 1 }]) {
        const error = yield* push(`spool:${yield* sent(client, wrong)}`)
        assert.notStrictEqual((error as InvalidRequest).field, "reached", JSON.stringify(wrong))
      }
      assert.lengthOf(seen, 2)
    }))
})
