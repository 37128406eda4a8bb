import { Effect, Ref } from "effect"
import { assert, describe, it } from "vitest"
import { type Generation, noGeneration } from "../../../../../src/workspace/entry/current-generation.ts"
import type { Entry } from "../../../../../src/workspace/entry/entry.ts"
import { readableOf } from "../../../../../src/workspace/entry/readable.ts"
import type { WorkspaceRecord } from "../../../../../src/workspace/entry/record.ts"
import { commandsAtReturn, noteReturn } from "../../../../../src/workspace/life/points/expect.ts"
import {
  fullAllowance,
  isSeen,
  lookAfterReturn,
  lookAgain,
  mayBeDue,
  mayHavePrograms,
  noteLook,
  notePrograms,
  noteSeen,
  takeLook
} from "../../../../../src/workspace/life/points/last-look.ts"

const vm = (id: string) => ({ guest: { vm: { id } } }) as unknown as Generation

/** A running workspace, on its first disk. */
const running = () => {
  const record = Ref.makeUnsafe({ disk: 0 } as unknown as WorkspaceRecord)
  const inVm = (id: string) => Effect.runSync(entry.generation.install(vm(id)))
  const entry = {
    record: readableOf(record),
    generation: noGeneration(),
    uses: { count: 0, lastMs: 90, onUsed: () => {} }
  } as unknown as Entry
  inVm("vm-1")
  const noPrograms = { programs: () => Effect.succeed(0) }
  return {
    entry,
    hasNoPrograms: () => Effect.runSync(notePrograms(entry, { call: noPrograms } as never)),
    onDisk: (disk: number) => Effect.runSync(Ref.set(record, { disk } as unknown as WorkspaceRecord)),
    inVm
  }
}

describe("looks for points", () => {
  it("five in a row are allowed, then one each time", () => {
    const marks = fullAllowance()
    const at = (ms: number) => takeLook(marks, ms, 3_000)
    assert.deepStrictEqual([0, 1, 2, 3, 4, 5].map(at), [true, true, true, true, true, false])
    assert.deepStrictEqual([2_999, 3_000, 3_001, 9_100, 9_101, 9_102].map(at), [false, true, false, true, true, false])
  })

  it("after a rewind, one is allowed in any case", () => {
    const { entry, onDisk } = running()
    const look = (ms: number) => noteLook(entry, 0, ms, 3_000)
    for (let number = 0; number < 5; number++) look(0)
    assert.isFalse(look(1))
    onDisk(1)
    assert.deepStrictEqual([look(1), look(1)], [true, false])
  })

  it("a return that has the present state leaves the next look to the next use, and a reset forgets the return", () => {
    const { entry, onDisk } = running()
    onDisk(1)
    lookAfterReturn(entry, { ended: 3, hasPrograms: false })
    noteReturn(entry, { commands: 4, ms: 100 })
    assert.deepStrictEqual([isSeen(entry, 3), mayBeDue(entry), mayHavePrograms(entry)], [true, false, false])
    assert.strictEqual(commandsAtReturn(entry), 4)
    lookAfterReturn(entry, undefined)
    noteReturn(entry, { commands: 5, ms: 200 })
    assert.deepStrictEqual([isSeen(entry, 3), mayBeDue(entry), mayHavePrograms(entry)], [false, true, true])
    assert.strictEqual(commandsAtReturn(entry), 5)
    onDisk(2)
    assert.strictEqual(commandsAtReturn(entry), undefined)
  })

  it("another VM has another look, and another disk may have programs until a look says that it has none", () => {
    const { entry, hasNoPrograms, inVm, onDisk } = running()
    noteSeen(entry, 0)
    hasNoPrograms()
    assert.deepStrictEqual([mayBeDue(entry), mayHavePrograms(entry)], [false, false])
    inVm("vm-2")
    assert.deepStrictEqual([isSeen(entry, 0), mayBeDue(entry), mayHavePrograms(entry)], [false, true, false])
    noteSeen(entry, 0)
    assert.isFalse(mayBeDue(entry))
    onDisk(1)
    assert.deepStrictEqual([mayBeDue(entry), mayHavePrograms(entry)], [true, true])
  })

  it("a look that came to nothing is repeated without a use", () => {
    const { entry } = running()
    noteSeen(entry, 0)
    lookAgain(entry)
    assert.isTrue(mayBeDue(entry))
  })
})
