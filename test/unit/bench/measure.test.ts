import { describe, expect, it, vi } from "@effect/vitest"
import { interleave, type Side } from "../../../bench/measure.ts"

const recording = (log: Array<string>, name: string, value: (count: number) => number): () => Promise<Side> => {
  let count = 0
  return async () => {
    log.push(`open ${name}`)
    return {
      sample: async () => {
        log.push(name)
        return value(count++)
      },
      close: async () => void log.push(`close ${name}`)
    }
  }
}

describe("interleave", () => {
  it("interleave measures both sides in turn and leaves out the warm-up", async () => {
    const log: Array<string> = []
    const samples = await interleave("row", { warmups: 1, counted: 2 }, [
      recording(log, "floor", (count) => count),
      recording(log, "ours", (count) => 10 + count)
    ])
    expect(samples).toEqual([[1, 2], [11, 12]])
    expect(log.join(" ")).toBe("open floor open ours floor ours floor ours floor ours close ours close floor")
  })

  it("interleave closes the open sides when a sample fails", async () => {
    const log: Array<string> = []
    const failing = recording(log, "ours", () => {
      throw new Error("no guest")
    })
    await expect(interleave("row", { warmups: 0, counted: 1 }, [recording(log, "floor", () => 1), failing])).rejects
      .toThrow("no guest")
    expect(log.slice(-2)).toEqual(["close ours", "close floor"])
  })

  it("interleave closes the first side when the second cannot be opened", async () => {
    const log: Array<string> = []
    const open = interleave("row", { warmups: 0, counted: 1 }, [
      recording(log, "floor", () => 1),
      () => Promise.reject(new Error("no VM"))
    ])
    await expect(open).rejects.toThrow("no VM")
    expect(log).toEqual(["open floor", "close floor"])
  })

  it("interleave does not wait for ever for a side to open", async () => {
    vi.useFakeTimers()
    try {
      const log: Array<string> = []
      const open = interleave("row", { warmups: 0, counted: 1 }, [
        recording(log, "floor", () => 1),
        () => new Promise(() => {})
      ])
      const late = expect(open).rejects.toThrow("row: opening side 2 of 2 took longer than 120 s")
      await vi.advanceTimersByTimeAsync(120_000)
      await late
      expect(log).toEqual(["open floor", "close floor"])
    } finally {
      vi.useRealTimers()
    }
  })
})
