import { assert, describe, it } from "@effect/vitest"
import { Effect, Option, Schema } from "effect"
import { NoSpace, StateDirectoryUnusable, VmFailed } from "../../../../src/contract/errors/errors.ts"
import { named } from "../../../../src/contract/text/names.ts"
import { listed, makeResidents } from "../../../../src/workspace/entry/resident-list.ts"
import {
  demandReadable,
  describeStates,
  type Resident,
  type ResidentKind,
  type ResidentStates,
  type ResidentVm,
  storedKind
} from "../../../../src/workspace/entry/resident.ts"

/** A state of format 2; format 1 was the count alone. */
const Count = Schema.Struct({ count: Schema.Int })

const kindOf = (key: string): ResidentKind<typeof Count.Type> => ({
  key,
  state: Count,
  upgrades: [(count) => ({ count })],
  describeNoted: ({ count }) => ({ runningCommands: count })
})

const reason = (detail: string) => new VmFailed({ step: "run", detail, consoleTail: "" })
const failure = (detail: string) => new StateDirectoryUnusable({ path: "run", detail })
const vm = {} as ResidentVm
const at = { workspace: "w", path: "record.json" }
const moment = { folder: "/noted", sinceMs: 10 }

/** Two residents that note down what is asked of them; `own` replaces what the first or the second does. */
const twoOf = (own: { readonly first?: Partial<Resident<typeof Count.Type>>; readonly second?: object } = {}) => {
  const calls: Array<string> = []
  const call = (words: string) => Effect.sync(() => void calls.push(words))
  const resident = (key: string): Resident<typeof Count.Type> => ({
    adopt: (_, kept) => call(`${key} adopt ${Option.match(kept, { onNone: () => "-", onSome: ({ count }) => count })}`),
    lose: ({ message }) => call(`${key} lose ${message.includes("ended") ? "ended" : message}`),
    quiesce: Effect.acquireRelease(call(`${key} quiesce`), () => call(`${key} go on`)),
    note: (folder) => Effect.as(call(`${key} note ${folder}`), { count: key.length }),
    finishNote: ({ count }, folder) => call(`${key} finish ${count} ${folder}`),
    inherit: ({ count }, { folder, sinceMs }) => call(`${key} inherit ${count} ${folder} ${sinceMs}`),
    clear: call(`${key} clear`),
    owns: (id) => id === key,
    isBusy: Effect.succeed(key === "second")
  })
  const residents = makeResidents([
    listed(kindOf("first"), "/w", { ...resident("first"), ...own.first }),
    listed(kindOf("second"), "/w", { ...resident("second"), ...own.second })
  ])
  return { calls, residents }
}

const states = (first: unknown, second: unknown, format = 2) =>
  named([["first", { format, state: first }], ["second", { format, state: second }]] as const)

describe("the residents of a workspace", () => {
  it.effect("residents take their states from the record, in their order", () =>
    Effect.gen(function*() {
      const { calls, residents } = twoOf()
      yield* residents.adopt(vm, named([["second", { format: 2, state: { count: 7 } }]]))
      yield* residents.inherit(states({ count: 1 }, { count: 2 }), moment)
      assert.deepStrictEqual(calls, [
        "first adopt -",
        "second adopt 7",
        "first inherit 1 /noted 10",
        "second inherit 2 /noted 10"
      ])
    }))

  it.effect("residents are given up in the reverse order", () =>
    Effect.gen(function*() {
      const { calls, residents } = twoOf()
      yield* residents.lose(reason("ended"))
      yield* residents.clear
      assert.deepStrictEqual(calls, ["second lose ended", "first lose ended", "second clear", "first clear"])
    }))

  it.effect("residents stop during a capture and continue after it, also if it fails", () =>
    Effect.gen(function*() {
      const { calls, residents } = twoOf()
      const noted = yield* residents.quiesced(residents.note("/to"))
      yield* residents.finishNote(noted, "/to")
      assert.deepStrictEqual(calls.splice(0), [
        "second quiesce",
        "first quiesce",
        "first note /to",
        "second note /to",
        "first go on",
        "second go on",
        "first finish 5 /to",
        "second finish 6 /to"
      ])
      assert.deepStrictEqual(noted, states({ count: 5 }, { count: 6 }))
      yield* Effect.exit(residents.quiesced(Effect.fail("no room")))
      assert.deepStrictEqual(calls.slice(-2), ["first go on", "second go on"])
    }))

  it.effect("each resident is tried although one fails or dies, and the failure is reported", () =>
    Effect.gen(function*() {
      const broken = {
        adopt: () => Effect.fail(failure("no adopt")),
        lose: () => Effect.die("no lose"),
        quiesce: Effect.die("no quiesce"),
        inherit: () => Effect.die("no inherit"),
        clear: Effect.fail(failure("no clear"))
      }
      const first = twoOf({ first: broken })
      assert.include((yield* Effect.flip(first.residents.adopt(vm, named([])))).message, "no adopt")
      assert.include(
        (yield* Effect.flip(first.residents.inherit(states({ count: 1 }, { count: 2 }), moment))).message,
        "no inherit"
      )
      assert.deepStrictEqual(first.calls.splice(0), ["second adopt -", "second inherit 2 /noted 10"])
      const second = twoOf({ second: broken })
      yield* second.residents.lose(reason("ended"))
      assert.include((yield* Effect.flip(second.residents.clear)).message, "no clear")
      yield* second.residents.quiesced(Effect.void)
      assert.deepStrictEqual(second.calls, ["first lose ended", "first clear", "first quiesce", "first go on"])
    }))

  it.effect("a capture fails if one resident cannot be noted", () =>
    Effect.gen(function*() {
      const full = new NoSpace({ where: "state directory", path: "/to", neededMib: 1, availableMib: 0 })
      const { residents } = twoOf({ second: { note: () => Effect.fail(full) } })
      assert.strictEqual(yield* Effect.flip(residents.note("/to")), full)
    }))

  it.effect("residents inherit states of older formats, and no missing state", () =>
    Effect.gen(function*() {
      const { calls, residents } = twoOf()
      yield* residents.inherit(named([["second", { format: 1, state: 4 }]]), moment)
      assert.deepStrictEqual(calls, ["second inherit 4 /noted 10"])
    }))

  it.effect("residents refuse a state of a newer format and a damaged one", () =>
    Effect.gen(function*() {
      const { calls, residents } = twoOf()
      const newer = yield* Effect.flip(residents.inherit(states({ count: 1 }, { count: 2 }, 3), moment))
      assert.match(newer.message, /a newer pyro wrote the state of its "first", of format 3/)
      const damaged = yield* Effect.flip(residents.inherit(states("one", { count: 2 }), moment))
      assert.strictEqual(damaged._tag, "StateDirectoryUnusable")
      assert.deepStrictEqual(calls, ["second inherit 2 /noted 10"])
    }))

  it.effect("a workspace is busy, and owns a process, if one of its residents says so", () =>
    Effect.gen(function*() {
      const { residents } = twoOf()
      assert.isTrue(residents.owns("second"))
      assert.isFalse(residents.owns("third"))
      assert.isTrue(yield* residents.isBusy)
      assert.isFalse(yield* twoOf({ second: { isBusy: Effect.succeed(false) } }).residents.isBusy)
    }))
})

describe("the states of residents in a record", () => {
  const kinds = [storedKind(kindOf("first")), storedKind(kindOf("second"))]

  it("residents' states of present and older formats are readable", () => {
    assert.strictEqual(demandReadable(kinds, at, states({ count: 1 }, { count: 2 }))._tag, "Success")
    assert.strictEqual(demandReadable(kinds, at, states(1, 2, 1))._tag, "Success")
    assert.deepStrictEqual(describeStates(kinds, states(3, 4, 1)), { runningCommands: 4 })
  })

  const refusalOf = (stored: ResidentStates) => Effect.flip(Effect.fromResult(demandReadable(kinds, at, stored)))

  it.effect("a record is refused if a resident's state is newer, unknown or damaged", () =>
    Effect.gen(function*() {
      const newer = yield* refusalOf(states({ count: 1 }, { count: 2 }, 3))
      assert.deepInclude(newer, { _tag: "StateTooNew", path: "record.json", format: 3, newest: 2 })
      const unknown = yield* refusalOf(named([["ports", { format: 1, state: [] }]]))
      assert.deepInclude(unknown, { _tag: "StateTooNew", part: "the state of its \"ports\"", newest: 0 })
      const damaged = yield* refusalOf(states({ count: 1 }, "many"))
      assert.deepInclude(damaged, { _tag: "FileFailed", path: "record.json" })
    }))
})
