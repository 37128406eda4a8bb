import { assert, describe, it } from "vitest"
import type { ImageProgram } from "../../../../../src/lib/environment/model/image-config.ts"
import { type OfImage, serviceOfImage } from "../../../../../src/workspace/residents/service/image-program.ts"

const program = (more: Partial<ImageProgram> = {}): ImageProgram => ({
  entrypoint: ["/serve"],
  command: ["--fast"],
  ...more
})

describe("a service of an image's command", () => {
  it("runs the entrypoint with the command, without a check", () => {
    assert.deepStrictEqual(serviceOfImage(program()), { command: ["/serve", "--fast"] })
  })

  it.each([["SIGQUIT", 3], ["quit", 3], ["10", 10], ["SIGRTMIN+3", 37], ["SIGNONE", undefined], ["", undefined]])(
    "the stop signal %s is the signal %s",
    (stopSignal, number) => {
      assert.strictEqual(serviceOfImage(program({ stopSignal })).stopSignal, number)
    }
  )

  it("a health check without times is tried as pyro tries, for as long as Docker takes", () => {
    const healthCheck = { test: ["CMD", "/serve", "two words"] }
    assert.deepInclude(
      serviceOfImage(program({ healthCheck })),
      {
        check: { _tag: "command", script: "/serve 'two words'", argv: ["/serve", "two words"], timeoutMs: 30_000 },
        readyTimeoutSeconds: 180
      } satisfies Partial<OfImage>
    )
    assert.notProperty(serviceOfImage(program({ healthCheck })), "readyIntervalMs")
  })

  it.each([
    [undefined, ["/bin/sh", "-c", "a && b"]],
    [["/bin/bash", "-ec"], ["/bin/bash", "-ec", "a && b"]]
  ])("a health check of a shell runs in that of the image: %s", (shell, argv) => {
    const { check } = serviceOfImage(program({ shell, healthCheck: { test: ["CMD-SHELL", "a && b"] } }))
    assert.deepInclude(check, { script: "a && b", argv })
  })

  it.each([
    [{ intervalMs: 2_000, timeoutMs: 1_000, retries: 4, startPeriodMs: 10_000 }, 2_000, 22],
    [{ intervalMs: 60_000 }, 5_000, 270],
    [{ intervalMs: 60_000, startIntervalMs: 250 }, 250, 270],
    [{ intervalMs: 1, timeoutMs: 1, retries: 1 }, 10, 1],
    [{ startPeriodMs: 86_400_000 }, undefined, 3_600]
  ])("of %j the tries are %s ms apart, for %s s", (times, interval, seconds) => {
    const { readyIntervalMs, readyTimeoutSeconds } = serviceOfImage(
      program({ healthCheck: { test: ["CMD", "x"], ...times } })
    )
    assert.deepStrictEqual([readyIntervalMs, readyTimeoutSeconds], [interval, seconds])
  })
})
