import * as path from "node:path"
import { afterEach, assert, beforeEach, describe, it, vi } from "vitest"

interface Machine {
  readonly progress: () => number
  readonly giveUp: (reason: string) => Error
}
interface Limits {
  readonly seconds: number
  readonly silentSeconds: number
}

const { whileItMoves } = await import(
  path.resolve(import.meta.dirname, "../../../scripts/lab/patience.mjs")
) as { readonly whileItMoves: <A>(answer: Promise<A>, machine: Machine, limits: Limits) => Promise<A> }

const { afterIdleSeconds } = await import(
  path.resolve(import.meta.dirname, "../../../scripts/lab/busy-host.mjs")
) as { readonly afterIdleSeconds: (seconds: number, expired: () => void, factor?: () => number) => () => void }

const limits = { seconds: 100, silentSeconds: 10 }
const after = <A>(seconds: number, value: A) => new Promise<A>((resolve) => setTimeout(resolve, seconds * 1000, value))
const never = new Promise<never>(() => {})

/** What comes of a boot that answers with `answer` while its console is `printed(seconds)` long. */
const boot = async (answer: Promise<string>, printed: (seconds: number) => number) => {
  const startedAt = Date.now()
  const progress = () => printed(Math.floor((Date.now() - startedAt) / 1000))
  const ended = whileItMoves(answer, { progress, giveUp: (reason) => new Error(reason) }, limits).catch(String)
  await vi.advanceTimersByTimeAsync(200_000)
  return ended
}

describe("the lab waits for a machine that boots", () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it("a slow machine is waited for as long as its console grows", async () => {
    assert.strictEqual(await boot(after(90, "up"), (seconds) => Math.floor(seconds / 9)), "up")
    assert.strictEqual(vi.getTimerCount(), 0)
  })

  it("a machine that prints nothing any more is given up", async () => {
    assert.strictEqual(
      await boot(after(90, "up"), (seconds) => Math.min(seconds, 50)),
      "Error: it has printed nothing for 10 s"
    )
    assert.strictEqual(await boot(never, () => 0), "Error: it has printed nothing for 10 s")
  })

  it("a machine that prints for ever is given up", async () => {
    assert.strictEqual(await boot(never, (seconds) => seconds), "Error: it still boots after 100 s")
  })
})

describe("a deadline of the lab", () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  it("it is longer where more jobs share a processor", async () => {
    let jobs = 1
    let expired = 0
    afterIdleSeconds(20, () => expired++, () => jobs)
    await vi.advanceTimersByTimeAsync(10_000)
    jobs = 8
    await vi.advanceTimersByTimeAsync(79_000)
    assert.strictEqual(expired, 0)
    await vi.advanceTimersByTimeAsync(200_000)
    assert.strictEqual(expired, 1)
    assert.strictEqual(vi.getTimerCount(), 0)
  })

  it("it is never shorter than on an idle host, and can be ended", async () => {
    let expired = 0
    const end = afterIdleSeconds(20, () => expired++)
    await vi.advanceTimersByTimeAsync(19_000)
    assert.strictEqual(expired, 0)
    end()
    await vi.advanceTimersByTimeAsync(3_600_000)
    assert.strictEqual(expired, 0)
  })
})
