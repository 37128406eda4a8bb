import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import { describe, it } from "vitest"
import { startTranslator } from "../../../../../src/lib/network/daemon/tap/children.ts"
import { processesWithArgument } from "../../../../../src/system/processes/identity.ts"
import { settlesAs } from "../../../../support/settled.ts"

/** Waits without a turn of the event loop, so that the next moment is no later. */
const waitMs = (ms: number) => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

describe("the translator of a network namespace", () => {
  it.each([0, 0.5, 1, 1.5, 2, 3, 4, 6, 8, 12])(
    "a translator that is stopped %d ms after its start leaves no process",
    async (ms) => {
      const tag = randomUUID()
      const namespace = fs.openSync("/proc/self/ns/net", "r")
      try {
        const ended = new Promise<string>((resolve) => {
          const { stop } = startTranslator(namespace, tag, resolve)
          waitMs(ms)
          stop()
        })
        await ended
      } finally {
        fs.closeSync(namespace)
      }
      await settlesAs(() => processesWithArgument(tag).length, 0)
    }
  )
})
