import type { Effect, Option, Scope, Sink, Stream } from "effect"
import { assert, describe, it } from "vitest"
import type { ChannelFailed, PyroError } from "../../../src/contract/errors/errors.ts"
import type { ErrorOf, OperationName } from "../../../src/contract/rows/operations.ts"
import type { InEffect } from "../../../src/sdk/handle/in-effect.ts"
import type { ErrorOfMember } from "../../../src/sdk/handle/operations.ts"
import type { SavedSnapshots } from "../../../src/sdk/promises/client.ts"
import type { Process } from "../../../src/sdk/promises/command.ts"
import type { Bytes, Command, Ended } from "../../../src/sdk/promises/common.ts"
import type { FileStat, WatchEvent } from "../../../src/sdk/promises/file-options.ts"
import type { Files } from "../../../src/sdk/promises/files.ts"
import type { Network, Port, Ports, Services, Snapshots } from "../../../src/sdk/promises/services.ts"
import type { ServiceInfo } from "../../../src/sdk/promises/shapes.ts"
import type { Shell } from "../../../src/sdk/promises/shell.ts"
import type { Workspace } from "../../../src/sdk/promises/workspace.ts"

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
type Held = InEffect<Workspace>
type Failing<Name extends OperationName> = ChannelFailed | ErrorOf<Name>
type OfExec = Failing<"workspace.exec">
type Ended1 = Effect.Effect<Ended, OfExec>

type Methods<T> = { readonly [K in keyof T]: T[K] extends (...given: never) => unknown ? K : never }[keyof T] & string

/** Whether each method of a handle has operations, whose errors are fewer than all. */
type AllKnown<T> = T extends unknown ? PyroError extends ErrorOfMember<T, Methods<T>> ? false : true : never

/** The compiler refuses this file if one of them is false. */
const facts: {
  readonly everyMember: Same<keyof Held, Exclude<keyof Workspace, symbol>>
  readonly everyMemberOfProcess: Same<keyof InEffect<Process>, Exclude<keyof Process, symbol>>
  readonly promise: Same<ReturnType<InEffect<Process>["wait"]>, Ended1>
  readonly scoped: Same<ReturnType<Held["spawn"]>, Effect.Effect<InEffect<Process>, OfExec, Scope.Scope>>
  readonly unscoped: ReturnType<Held["exec"]> extends Effect.Effect<unknown, PyroError> ? true : false
  readonly absent: Same<
    ReturnType<InEffect<Files>["stat"]>,
    Effect.Effect<Option.Option<FileStat>, Failing<"workspace.file.stat">>
  >
  readonly absentService: Same<
    ReturnType<Held["services"]["get"]>,
    Effect.Effect<Option.Option<ServiceInfo>, Failing<"workspace.service.status">>
  >
  readonly stream: Same<InEffect<Process>["stdout"], Stream.Stream<Bytes, OfExec>>
  readonly streamOfCall: Same<
    ReturnType<Held["files"]["stream"]>,
    Stream.Stream<Bytes, Failing<"workspace.file.download">>
  >
  readonly watch: Same<ReturnType<Held["files"]["watch"]>, Stream.Stream<WatchEvent, Failing<"workspace.file.watch">>>
  readonly sink: Same<
    InEffect<Process>["stdin"],
    Sink.Sink<void, string | Uint8Array, never, Failing<"workspace.stdin">>
  >
  readonly given: Same<Parameters<Held["exec"]>[0], Command>
  readonly noSignal: "signal" extends keyof NonNullable<Parameters<Held["exec"]>[1]> ? false : true
  readonly option: "timeoutMs" extends keyof NonNullable<Parameters<Held["exec"]>[1]> ? true : false
  readonly errors: Same<
    AllKnown<
      Workspace | Process | Shell | Files | Services | Network | Snapshots | Ports | Port | SavedSnapshots
    >,
    true
  >
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
  errors: true,
  input: true
}

describe("the Effect form of a handle", () => {
  it("its types are those of the promise form, in Effect", () => {
    assert.isTrue(Object.values(facts).every((fact) => fact))
  })
})
