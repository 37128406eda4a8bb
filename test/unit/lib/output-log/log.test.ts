import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Scheduler } from "effect"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { afterAll } from "vitest"
import type { LogReader } from "../../../../src/lib/output-log/log.ts"
import { HEAD_BYTES, START_BYTES } from "../../../../src/lib/output-log/log/segment.ts"
import { logLimits, LogStore } from "../../../../src/lib/output-log/store.ts"
import { fillDisk } from "../../../support/disk/full-disk.ts"

const folders: Array<string> = []
const newFolder = () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "pyro-log-"))
  folders.push(folder)
  return folder
}
afterAll(() => folders.forEach((folder) => fs.rmSync(folder, { recursive: true, force: true })))

const idOf = (number: number) => number.toString(16).padStart(32, "0")
const [a, b] = [idOf(10), idOf(11)]

/** Files of 100 bytes: a piece of 20 takes 25, three of them fill one. */
const small: typeof logLimits = { segmentBytes: 100, headSegments: 2, segments: 5, workspaceBytes: 1_000_000 }
const piece = (number: number) => Buffer.alloc(20, number)

const readAll = (reader: LogReader) => {
  const out = { stdout: [] as Array<Uint8Array>, stderr: [] as Array<Uint8Array> }
  for (let next = reader.next(); next !== undefined; next = reader.next()) {
    out[next.from].push(Uint8Array.from(next.bytes))
  }
  reader.close()
  return { stdout: Buffer.concat(out.stdout), stderr: Buffer.concat(out.stderr), skipped: reader.takeSkipped() }
}

const append = (log: ReturnType<LogStore["create"]>, from: "stdout" | "stderr", bytes: Uint8Array) =>
  Effect.runSync(log.append(from, bytes))

/** Gives other fibers their turn, in which `work` runs, before one step of a fiber. */
const interruptedAt = (step: number, work: () => void): Scheduler.Scheduler => {
  let steps = 0
  return Object.assign(new Scheduler.MixedScheduler(), {
    shouldYield: () => {
      if (steps++ !== step) return false
      work()
      return true
    }
  })
}

describe("the log of a command", () => {
  it("a command's log gives the output from any byte on, across files", () => {
    const store = new LogStore(newFolder(), { ...small, segments: 50 }, [])
    const log = store.create(a)
    const all: Array<number> = []
    for (let number = 0; number < 40; number++) {
      const bytes = Buffer.alloc(1 + number % 23, number)
      append(log, number % 3 === 0 ? "stderr" : "stdout", bytes)
      all.push(...bytes)
    }
    assert.isAbove(fs.readdirSync(store.folder).length, 3)
    for (const ended of [false, true]) {
      if (ended) log.end()
      for (let cursor = 0; cursor <= all.length; cursor++) {
        const reader = log.reader(cursor)
        const got: Array<number> = []
        for (let next = reader.next(); next !== undefined; next = reader.next()) {
          got.push(...next.bytes)
          assert.strictEqual(next.next, cursor + got.length)
        }
        reader.close()
        assert.deepStrictEqual(got, all.slice(cursor))
      }
    }
  })

  it("a log that is cut at any byte of its last file continues after the last whole piece", () => {
    const folder = newFolder()
    const log = new LogStore(folder, small, []).create(a)
    for (let number = 0; number < 5; number++) append(log, number === 1 ? "stderr" : "stdout", piece(number))
    log.end()
    const last = path.join(folder, `${a}.1`)
    const whole = fs.readFileSync(last)
    for (let cut = 0; cut <= whole.length; cut++) {
      fs.writeFileSync(last, whole.subarray(0, cut))
      const pieces = 3 + Math.max(0, Math.floor((cut - START_BYTES) / (HEAD_BYTES + 20)))
      const again = new LogStore(folder, small, [[a, undefined]]).get(a)!
      again.resume()
      assert.strictEqual(again.position, pieces * 20, `cut at ${cut}`)
      append(again, "stdout", piece(9))
      const { skipped, stderr, stdout } = readAll(again.reader(0))
      again.end()
      const expected = [0, 2, 3, 4].filter((number) => number < pieces).map(piece)
      assert.deepStrictEqual(stdout, Buffer.concat([...expected, piece(9)]), `cut at ${cut}`)
      assert.deepStrictEqual({ stderr, skipped }, { stderr: piece(1), skipped: 0 })
      assert.strictEqual(again.droppedBytes, 0)
      fs.rmSync(path.join(folder, `${a}.2`), { force: true })
    }
  })

  it("a long log keeps the first and the newest output and reports the dropped bytes", () => {
    const folder = newFolder()
    const log = new LogStore(folder, small, []).create(a)
    for (let number = 0; number < 30; number++) append(log, "stdout", piece(number))
    const kept = Buffer.concat([0, 1, 2, 3, 4, 5, 21, 22, 23, 24, 25, 26, 27, 28, 29].map(piece))
    for (const store of [undefined, new LogStore(folder, small, [[a, undefined]])]) {
      const one = store?.get(a) ?? log
      if (store !== undefined) one.resume()
      assert.strictEqual(one.position, 600)
      assert.strictEqual(one.droppedBytes, 300)
      assert.deepStrictEqual(readAll(one.reader(0)), { stdout: kept, stderr: Buffer.alloc(0), skipped: 300 })
      assert.deepStrictEqual(readAll(one.reader(200)).skipped, 220)
    }
    assert.strictEqual(fs.readdirSync(folder).length, 5)
  })

  it("a page has at most its bytes and ends before dropped output, unless the dropped output comes first", () => {
    const log = new LogStore(newFolder(), small, []).create(a)
    for (let number = 0; number < 30; number++) append(log, "stdout", piece(number))
    const [head, tail] = [Buffer.concat([0, 1, 2, 3, 4, 5].map(piece)), Buffer.concat([21, 22].map(piece))]
    assert.deepStrictEqual(log.page(0, 25), { bytes: head.subarray(0, 25), skipped: 0 })
    assert.deepStrictEqual(log.page(0, 1_000), { bytes: head, skipped: 0 })
    assert.deepStrictEqual(log.page(120, 40), { bytes: tail, skipped: 300 })
    assert.deepStrictEqual(log.page(600, 40), { bytes: Buffer.alloc(0), skipped: 0 })
  })

  it.live("a full log waits for a listener before it drops output, and not after the listener has left", () =>
    Effect.gen(function*() {
      const store = new LogStore(newFolder(), small, [])
      const log = store.create(a)
      const listener = log.listen(0)
      const writer = yield* Effect.forkChild(Effect.forEach(
        Array.from({ length: 60 }, (_, number) => piece(number)),
        (bytes) => log.append("stdout", bytes),
        { discard: true }
      ))
      yield* Effect.yieldNow
      // Two files of the beginning, three of the newest: the sixth has to wait.
      assert.strictEqual(log.position, 15 * 20)
      const heard: Array<Uint8Array> = []
      while (heard.length < 40) {
        const next = listener.next()
        if (next === undefined) yield* log.more(listener.position)
        else for (let at = 0; at < next.bytes.length; at += 20) heard.push(next.bytes.subarray(at, at + 20))
      }
      assert.strictEqual(listener.takeSkipped(), 0)
      assert.deepStrictEqual(Buffer.concat(heard), Buffer.concat(heard.map((_, number) => piece(number))))
      assert.isBelow(log.position, 60 * 20)
      listener.close()
      yield* Fiber.join(writer)
      assert.strictEqual(log.position, 60 * 20)
    }))

  it("a log adds nothing at once if a listener would lose output, or the disk is full, and all otherwise", () => {
    const log = new LogStore(newFolder(), small, []).create(a)
    const listener = log.listen(0)
    for (let number = 0; number < 15; number++) assert.isTrue(log.tryAppend("stdout", piece(number)))
    // Two files of the beginning, three of the newest: the sixth has to wait.
    assert.isFalse(log.tryAppend("stdout", piece(15)))
    assert.strictEqual(log.position, 15 * 20)
    for (let number = 0; number < 15; number++) listener.next()
    const makeRoom = fillDisk(3)
    assert.isFalse(log.tryAppend("stdout", piece(15)))
    makeRoom()
    assert.isTrue(log.tryAppend("stdout", piece(15)))
    assert.deepStrictEqual([log.position, log.droppedBytes], [16 * 20, 60])
    listener.close()
  })

  it.effect("a log that waits for a listener goes on if the listener moves in any other fiber's turn before the wait", () =>
    Effect.gen(function*() {
      for (let step = 0; step < 40; step++) {
        for (const leaves of [true, false]) {
          const log = new LogStore(newFolder(), small, []).create(a)
          const listener = log.listen(0)
          for (let number = 0; number < 15; number++) append(log, "stdout", piece(number))
          let moved = false
          const writer = yield* log.append("stdout", piece(15)).pipe(
            Effect.provideService(
              Scheduler.Scheduler,
              interruptedAt(step, () => {
                moved = true
                if (leaves) listener.close()
                else while (listener.next() !== undefined);
              })
            ),
            Effect.forkChild
          )
          for (let turn = 0; turn < 20; turn++) yield* Effect.yieldNow
          if (moved) assert.isDefined(writer.pollUnsafe(), `at step ${step}`)
        }
      }
    }))

  it.live("a log on a full disk passes output on, counts the loss, and continues when there is space", () =>
    Effect.gen(function*() {
      const folder = newFolder()
      const log = new LogStore(folder, small, []).create(a)
      yield* log.append("stdout", piece(1))
      const listener = log.listen(0)
      const makeRoom = fillDisk(3)
      const writer = yield* Effect.forkChild(Effect.andThen(
        log.append("stderr", piece(2)),
        log.append("stdout", piece(3))
      ))
      const heard: Array<Uint8Array> = []
      for (let next = listener.next(); heard.length < 3; next = listener.next()) {
        if (next === undefined) yield* log.more(listener.position)
        else heard.push(next.bytes)
        yield* Effect.yieldNow
      }
      yield* Fiber.join(writer)
      makeRoom()
      assert.deepStrictEqual(heard, [piece(1), piece(2), piece(3)])
      assert.strictEqual(log.droppedBytes, 40)
      yield* log.append("stdout", piece(4))
      log.end()
      listener.close()
      const expected = { stdout: Buffer.concat([piece(1), piece(4)]), stderr: Buffer.alloc(0), skipped: 40 }
      assert.deepStrictEqual(readAll(log.reader(0)), expected)
      const again = new LogStore(folder, small, [[a, undefined]]).get(a)!
      again.resume()
      assert.deepStrictEqual(again.received, { stdout: 60, stderr: 20 })
      assert.strictEqual(again.droppedBytes, 40)
      assert.deepStrictEqual(readAll(again.reader(0)), expected)
    }))

  it("a log reports output that was lost before it was written", () => {
    const log = new LogStore(newFolder(), small, []).create(a)
    append(log, "stdout", piece(1))
    log.lose("stdout", 1_000)
    append(log, "stdout", piece(2))
    log.end()
    assert.deepStrictEqual(readAll(log.reader(0)).skipped, 1_000)
    assert.strictEqual(log.droppedBytes, 1_000)
    assert.strictEqual(log.position, 1_040)
  })

  it("a log joins small pieces of one output", () => {
    const log = new LogStore(newFolder(), logLimits, []).create(a)
    for (let number = 0; number < 5_000; number++) append(log, "stdout", Buffer.from([number % 256]))
    log.end()
    const reader = log.reader(0)
    assert.strictEqual(reader.next()?.bytes.length, 5_000)
    reader.close()
  })
})

describe("the logs of a workspace", () => {
  it("the logs of a workspace stay within their limit by dropping the oldest finished one first", () => {
    const folder = newFolder()
    const limits = { ...small, workspaceBytes: 3 * 4_096 + 500 }
    const store = new LogStore(folder, limits, [])
    const logs = [1, 2, 3, 4, 5].map((number) => {
      const log = store.create(idOf(number))
      append(log, "stdout", piece(number))
      if (number !== 2) log.end()
      return log
    })
    assert.deepStrictEqual(logs.map(({ droppedBytes }) => droppedBytes), [20, 0, 0, 0, 0])
    const heard = logs[2]!.listen(0)
    append(store.create(b), "stdout", piece(6))
    assert.deepStrictEqual(logs.map(({ droppedBytes }) => droppedBytes), [20, 0, 0, 20, 0])
    assert.deepStrictEqual(heard.next()?.bytes, piece(3))
    heard.close()
  })

  it("reopened logs know their size and drop files without a command", () => {
    const folder = newFolder()
    const store = new LogStore(folder, small, [])
    for (const id of [a, b]) {
      const log = store.create(id)
      for (let number = 0; number < 7; number++) append(log, "stdout", piece(number))
      log.end()
    }
    const again = new LogStore(folder, small, [[a, { stdoutBytes: 140, stderrBytes: 0 }], [b, undefined]])
    assert.strictEqual(again.heldBytes, store.heldBytes)
    assert.strictEqual(readAll(again.get(a)!.reader(0)).stdout.length, 140)
    const less = new LogStore(folder, small, [[a, { stdoutBytes: 140, stderrBytes: 0 }]])
    assert.deepStrictEqual(fs.readdirSync(folder).filter((name) => !name.startsWith(a)), [])
    const none = new LogStore(newFolder(), small, [[a, { stdoutBytes: 140, stderrBytes: 1 }]])
    assert.strictEqual(none.get(a)?.droppedBytes, 141)
    less.clear()
    assert.deepStrictEqual(fs.readdirSync(folder), [])
    assert.strictEqual(less.heldBytes, 0)
  })

  it("the logs keep no descriptor of an ended command open", () => {
    const store = new LogStore(newFolder(), small, [])
    const before = fs.readdirSync("/proc/self/fd").length
    for (let number = 0; number < 200; number++) {
      const log = store.create(idOf(number))
      const listener = log.listen(0)
      for (let times = 0; times < 5; times++) append(log, "stdout", piece(times))
      log.end()
      readAll(listener)
      readAll(log.reader(3))
    }
    assert.strictEqual(fs.readdirSync("/proc/self/fd").length, before)
  })
})
