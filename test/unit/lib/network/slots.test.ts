import { assert, describe, it } from "@effect/vitest"
import { Slots } from "../../../../src/lib/network/both/dial/slots.ts"

const never = new AbortController().signal
/** Lets every settled promise call its callbacks. */
const settle = () => new Promise((resolve) => setImmediate(resolve))

/** Tasks that the test ends. */
const makeTasks = (slots: Slots) => {
  const started: Array<string> = []
  const ends = new Map<string, () => void>()
  return {
    started,
    end: async (name: string) => {
      ends.get(name)!()
      await settle()
    },
    run: (group: string, name: string, signal = never) =>
      slots.run(group, signal, () => {
        started.push(name)
        return new Promise<string>((resolve) => ends.set(name, () => resolve(name)))
      })
  }
}

describe("slots", () => {
  it("groups take turns, and none has more than its share", async () => {
    const { end, run, started } = makeTasks(new Slots({ limit: 3, perGroup: 2 }))
    for (const name of ["a1", "a2", "a3", "a4"]) void run("a", name)
    for (const name of ["b1", "b2"]) void run("b", name)
    void run("c", "c1")
    assert.deepStrictEqual(started, ["a1", "a2", "b1"])
    await end("a1")
    assert.deepStrictEqual(started.slice(3), ["a3"])
    await end("a2")
    assert.deepStrictEqual(started.slice(4), ["b2"])
    await end("b1")
    assert.deepStrictEqual(started.slice(5), ["c1"])
    await end("c1")
    assert.deepStrictEqual(started.slice(6), ["a4"])
  })

  it("a task that is aborted while it waits never starts", async () => {
    const { end, run, started } = makeTasks(new Slots({ limit: 1, perGroup: 1 }))
    const controller = new AbortController()
    void run("a", "first")
    const waiting = run("a", "second", controller.signal).catch((error: Error) => error.message)
    void run("a", "third")
    controller.abort(new Error("no longer wanted"))
    assert.strictEqual(await waiting, "no longer wanted")
    await end("first")
    assert.deepStrictEqual(started, ["first", "third"])
    assert.strictEqual(
      await run("b", "late", controller.signal).catch((error: Error) => error.message),
      "no longer wanted"
    )
  })

  it("a task that fails gives its slot back", async () => {
    const slots = new Slots({ limit: 1, perGroup: 1 })
    const failed = slots.run("a", never, () => Promise.reject(new Error("no"))).catch((error: Error) => error.message)
    assert.strictEqual(await failed, "no")
    assert.strictEqual(await slots.run("a", never, () => Promise.resolve("yes")), "yes")
  })

  it("a slot is entered at once where one is free, and left once", () => {
    const slots = new Slots({ limit: 1, perGroup: 1 })
    const started: Array<string> = []
    const leaveFirst = slots.enter("a", () => void started.push("first"))
    assert.deepStrictEqual(started, ["first"])
    const leaveSecond = slots.enter("a", () => void started.push("second"))
    slots.enter("a", (leave) => {
      started.push("third")
      leave()
    })
    slots.enter("a", () => void started.push("fourth"))
    slots.enter("a", () => void started.push("fifth"))
    leaveSecond()
    leaveFirst()
    leaveFirst()
    assert.deepStrictEqual(started, ["first", "third", "fourth"])
  })
})
