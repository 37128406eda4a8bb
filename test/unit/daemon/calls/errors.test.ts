import { assert, describe, it } from "@effect/vitest"
import { Effect, type Option, type Stream } from "effect"
import type { CommandsFailure } from "../../../../src/building/calls.ts"
import type { createOfDockerfile } from "../../../../src/building/create.ts"
import type { createOfDevContainer } from "../../../../src/building/devcontainer/create.ts"
import { type Command, commands } from "../../../../src/cli/rows/rows.ts"
import { PyroError } from "../../../../src/contract/errors/errors.ts"
import type {
  ofBooting,
  ofEachCall,
  ofFinding,
  ofRunning,
  ofWaking,
  OwnTag,
  SurroundingTag
} from "../../../../src/contract/rows/call-errors.ts"
import { errorTags } from "../../../../src/contract/rows/call-errors.ts"
import {
  type ErrorOf,
  type OperationName,
  type OperationOf,
  operations
} from "../../../../src/contract/rows/operations.ts"
import type { Pyro } from "../../../../src/contract/rows/Pyro.ts"
import { workspaceFileRead } from "../../../../src/contract/rows/workspace-file.ts"
import type { demandDiskRoom } from "../../../../src/daemon/app/disk/budget.ts"
import type { hostWorks } from "../../../../src/daemon/app/operations.ts"
import type { ownWorkspaces } from "../../../../src/daemon/app/workspaces.ts"
import type { findContext } from "../../../../src/remote/contexts.ts"
import { pyro } from "../../../../src/sdk/model/effects.ts"
import type { Registry } from "../../../../src/workspace/entry/registry.ts"
import type { wakeFor } from "../../../../src/workspace/life/verbs/pause.ts"
import type { inReader, inRunning } from "../../../../src/workspace/operations/work.ts"
import type { works } from "../../../../src/workspace/operations/works.ts"

// The compiler refuses this file if a row lists an error that its call never gives, or if the lists of what surrounds a call differ from
// the functions that surround it. That a call gives no error beyond its row's is in the types of the works.

type TagOf<E> = E extends { readonly _tag: infer Tag } ? Tag : never

type PullError<Pull> = Pull extends (waitMs?: number) => Effect.Effect<unknown, Option.Option<infer E>> ? E : never

/** The errors of a work, in each form that a table of works has. */
type ErrorOfWork<Work> = Work extends (...given: never) => Stream.Stream<unknown, infer E, infer _R> ? E
  : Work extends (...given: never) => Effect.Effect<unknown, infer E, infer _R> ? E
  : Work extends { readonly notices: (...given: never) => Effect.Effect<unknown, infer E, infer _R> } ? E
  : Work extends { readonly events: (...given: never) => Stream.Stream<unknown, infer E, infer _R> } ? E
  : Work extends { readonly pulls: (...given: never) => Effect.Effect<infer Pull, infer E, infer _R> }
    ? E | PullError<Pull>
  : never

type Works = typeof works & ReturnType<typeof hostWorks>

/** The errors of the line `recipes` of `list.ts`. */
interface RecipeErrors {
  readonly "workspace.create": Stream.Error<
    ReturnType<typeof createOfDockerfile<never> | typeof createOfDevContainer<never, never>>
  >
  readonly "workspace.start": CommandsFailure
  readonly "workspace.reset": CommandsFailure
}

type Given<Name extends OperationName> = TagOf<
  ErrorOfWork<Works[Name]> | (Name extends keyof RecipeErrors ? RecipeErrors[Name] : never)
>

/** What a row lists and its work never gives, or what surrounds the call anyway. */
type Needless = {
  readonly [Name in OperationName]:
    | Exclude<OwnTag<OperationOf<Name>>, Given<Name>>
    | Extract<OwnTag<OperationOf<Name>>, SurroundingTag<OperationOf<Name>>> extends infer Tag
    ? Tag extends string ? `${Name}: ${Tag}` : never
    : never
}[OperationName]

/** Tags that one of both has, and the other not. */
type Difference<One, Other> = Exclude<One, Other> | Exclude<Other, One>

type EachCall = typeof ofEachCall[number]

/** Errors of the client and of the check of the payload, which no function of the daemon gives. */
type OfClient =
  | TagOf<Effect.Error<ReturnType<typeof findContext>>>
  | "ContextUnreachable"
  | "DaemonMismatch"
  | "DaemonUnavailable"
  | "InvalidRequest"
  | "MessageUnreadable"
  | "NoMicroVms"
  | "NotPermitted"
  | "QuotaExceeded"
  | "UnknownFailure"

/** Where the lists of what surrounds a call differ from the functions that do. */
type Wrong =
  | Difference<EachCall, OfClient | TagOf<Effect.Error<ReturnType<typeof ownWorkspaces> | typeof demandDiskRoom>>>
  | Difference<typeof ofFinding[number], TagOf<Effect.Error<ReturnType<Registry["find"]>>>>
  | Exclude<Difference<typeof ofWaking[number], TagOf<Effect.Error<ReturnType<typeof wakeFor>>>>, EachCall | Finding>
  | Exclude<
    Difference<
      typeof ofBooting[number] | typeof ofWaking[number],
      TagOf<Effect.Error<ReturnType<typeof inReader<unknown, never, never>>>>
    >,
    EachCall | Finding
  >
  | Exclude<
    Difference<typeof ofRunning[number], TagOf<Effect.Error<ReturnType<typeof inRunning<unknown, never, never>>>>>,
    Finding
  >

type Finding = typeof ofFinding[number]

type None<T extends never> = T

describe("the errors of a call", () => {
  it("each row lists the errors that its call gives, and no other", () => {
    // An error of the compiler here names the operation and the tag.
    const unexpected: ReadonlyArray<None<`${Needless}` | `${Wrong}`>> = []
    assert.deepStrictEqual(unexpected, [])
  })

  it("each class of errors is listed by a row or a command", () => {
    const classes = PyroError.members.map(({ to }) => to.identifier)
    const listed = new Set<string>([
      ...operations.flatMap((row) => errorTags(row)),
      ...commands.flatMap(({ errors = [] }: Command) => errors)
    ])
    assert.deepStrictEqual(classes.filter((tag) => !listed.has(tag)), [])
    assert.deepStrictEqual([...listed].filter((tag) => !classes.includes(tag as never)), [])
  })

  it("the type of a call has the errors of its row", () => {
    const told = (error: { readonly code: string }) => Effect.succeed(error.code)
    const all = {
      ContextUnknown: told,
      ContextUnreachable: told,
      DaemonMismatch: told,
      DaemonUnavailable: told,
      HostToolMissing: told,
      InvalidConfiguration: told,
      InvalidRequest: told,
      MessageUnreadable: told,
      NoMicroVms: told,
      NoSpace: told,
      NotPermitted: told,
      QuotaExceeded: told,
      StateDirectoryUnusable: told,
      UnknownFailure: told
    }
    const handled = pyro.saved.list().pipe(Effect.catchTags(all))
    const whole: Effect.Effect<unknown, never, Pyro> = handled
    const forgetful = pyro.saved.delete({ names: ["green"] }).pipe(Effect.catchTags(all))
    // What is forgotten stays in the type.
    const forgotten: Effect.Error<typeof forgetful>["_tag"] = "SavedNotFound"
    // @ts-expect-error the call may still fail
    const cannotFail: [Effect.Error<typeof forgetful>] extends [never] ? true : false = true
    // @ts-expect-error a list of workspaces is of no service
    const foreign = Effect.catchTag(pyro.workspace.list(), "ServiceFailed", told)
    for (const one of [whole, forgetful, foreign]) assert.isTrue(Effect.isEffect(one))
    assert.strictEqual(`${forgotten} ${cannotFail}`, "SavedNotFound true")
  })

  it("the type and the list of a row are the same", () => {
    const tags = errorTags(workspaceFileRead)
    const typed: ReadonlyArray<ErrorOf<"workspace.file.read">["_tag"]> = tags as never
    assert.include(typed, "FileRefused")
    assert.include(typed, "SnapshotMismatch")
    assert.notInclude(tags, "ExecNotFound")
    // @ts-expect-error a read starts no command
    const foreign: ErrorOf<"workspace.file.read">["_tag"] = "ExecNotFound"
    assert.notInclude(tags, foreign)
  })
})
