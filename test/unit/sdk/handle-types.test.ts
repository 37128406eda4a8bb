import type { Effect, Option, Scope, Sink, Stream } from "effect"
import { assert, describe, it } from "vitest"
import type { PyroError } from "../../../src/contract/errors/errors.ts"
import type { InEffect } from "../../../src/sdk/handle/in-effect.ts"
import type { Process } from "../../../src/sdk/promises/command.ts"
import type { Bytes, Command, Ended } from "../../../src/sdk/promises/common.ts"
import type { FileStat, WatchEvent } from "../../../src/sdk/promises/file-options.ts"
import type { Files } from "../../../src/sdk/promises/files.ts"
import type { ServiceInfo } from "../../../src/sdk/promises/shapes.ts"
import type { Workspace } from "../../../src/sdk/promises/workspace.ts"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Held = InEffect<Workspace>
type Ended1 = Effect.Effect<Ended, PyroError>

/** The compiler refuses this file if one of them is false. */
const facts: {
  readonly everyMember: Same<keyof Held, Exclude<keyof Workspace, symbol>>
  readonly everyMemberOfProcess: Same<keyof InEffect<Process>, Exclude<keyof Process, symbol>>
  readonly promise: Same<ReturnType<InEffect<Process>["wait"]>, Ended1>
  readonly scoped: Same<ReturnType<Held["spawn"]>, Effect.Effect<InEffect<Process>, PyroError, Scope.Scope>>
  readonly unscoped: ReturnType<Held["exec"]> extends Effect.Effect<unknown, PyroError> ? true : false
  readonly absent: Same<ReturnType<InEffect<Files>["stat"]>, Effect.Effect<Option.Option<FileStat>, PyroError>>
  readonly absentService: Same<
    ReturnType<Held["services"]["get"]>,
    Effect.Effect<Option.Option<ServiceInfo>, PyroError>
  >
  readonly stream: Same<InEffect<Process>["stdout"], Stream.Stream<Bytes, PyroError>>
  readonly streamOfCall: Same<ReturnType<Held["files"]["stream"]>, Stream.Stream<Bytes, PyroError>>
  readonly watch: Same<ReturnType<Held["files"]["watch"]>, Stream.Stream<WatchEvent, PyroError>>
  readonly sink: Same<InEffect<Process>["stdin"], Sink.Sink<void, string | Uint8Array, never, PyroError>>
  readonly given: Same<Parameters<Held["exec"]>[0], Command>
  readonly noSignal: "signal" extends keyof NonNullable<Parameters<Held["exec"]>[1]> ? false : true
  readonly option: "timeoutMs" extends keyof NonNullable<Parameters<Held["exec"]>[1]> ? true : false
  readonly input: Stream.Stream<string, Error> extends NonNullable<Parameters<Held["exec"]>[1]>["stdin"] ? true : false
} = {
  everyMember: true,
  everyMemberOfProcess: true,
  promise: true,
  scoped: true,
  unscoped: true,
  absent: true,
  absentService: true,
  stream: true,
  streamOfCall: true,
  watch: true,
  sink: true,
  given: true,
  noSignal: true,
  option: true,
  input: true
}

describe("the Effect form of a handle", () => {
  it("its types are those of the promise form, in Effect", () => {
    assert.isTrue(Object.values(facts).every((fact) => fact))
  })
})
