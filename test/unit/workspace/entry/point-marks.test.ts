import { assert, describe, it } from "vitest"
import {
  forgetPointMarks,
  makePointMarks,
  markReturned,
  takeLook
} from "../../../../src/workspace/entry/point-marks.ts"

describe("looks for points", () => {
  it("five in a row are allowed, then one each time", () => {
    const marks = makePointMarks()
    const at = (ms: number) => takeLook(marks, ms, 3_000)
    assert.deepStrictEqual([0, 1, 2, 3, 4, 5].map(at), [true, true, true, true, true, false])
    assert.deepStrictEqual([2_999, 3_000, 3_001, 9_100, 9_101, 9_102].map(at), [false, true, false, true, true, false])
  })

  it("after a rewind, one is allowed in any case", () => {
    const marks = makePointMarks()
    for (let number = 0; number < 5; number++) takeLook(marks, 0, 3_000)
    assert.isFalse(takeLook(marks, 1, 3_000))
    forgetPointMarks({ pointMarks: marks })
    assert.deepStrictEqual([takeLook(marks, 1, 3_000), takeLook(marks, 1, 3_000)], [true, false])
  })

  it("a return that has the present state leaves the next look to the next use, and a reset forgets the return", () => {
    const marks = makePointMarks()
    markReturned({ pointMarks: marks }, {
      returnedAt: 4,
      returnedMs: 100,
      seen: { usedMs: 90, ended: 3, hasPrograms: false }
    })
    assert.include(marks, { returnedAt: 4, returnedMs: 100, usedMs: 90, ended: 3, hasPrograms: false })
    markReturned({ pointMarks: marks }, { returnedAt: 5, returnedMs: 200, seen: undefined })
    assert.include(marks, { returnedAt: 5, returnedMs: 200, usedMs: -1, ended: -1, hasPrograms: true })
    forgetPointMarks({ pointMarks: marks })
    assert.include(marks, { returnedAt: undefined, returnedMs: undefined })
  })
})
