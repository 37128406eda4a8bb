import { Effect, Schema } from "effect"
import { mkdirSync, readdirSync, rmSync } from "node:fs"
import type { PyroError } from "../../src/contract/errors/errors.ts"
import { Agent } from "./agent.ts"

/** A connection, the agent's own root, and an empty directory in it until the Scope ends. */
export const freshRoot = (name: string) =>
  Effect.gen(function*() {
    const channel = yield* Agent.connect()
    const { folder } = yield* Agent
    const root = `${folder}/${readdirSync(folder).find((one) => one.startsWith("root-"))}`
    const directory = `${root}/${name}`
    yield* Effect.acquireRelease(
      Effect.sync(() => mkdirSync(directory)),
      () => Effect.sync(() => rmSync(directory, { recursive: true, force: true }))
    )
    return { channel, directory, root }
  })

/** A request as a surface makes it: with the fields of its JSON. */
export const decoded = <A, I>(schema: Schema.Codec<A, I>, fields: object): A =>
  Schema.decodeUnknownSync(schema)({ workspace: "test", ...fields })

/** Why an operation on a file was refused, or the name of another error. */
export const reasonOf = <A, R>(effect: Effect.Effect<A, PyroError, R>) =>
  Effect.map(Effect.flip(effect), (failure) => failure._tag === "FileRefused" ? failure.reason : failure._tag)
