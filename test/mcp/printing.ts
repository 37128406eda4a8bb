import { Stream } from "effect"
import type { ExecEvent } from "../../src/contract/rows/workspace-exec.ts"
import { fakePyro } from "./fakes.ts"

const utf8 = (text: string) => new TextEncoder().encode(text)

/** A command that prints these pieces and has ended; it can be listened to from any cursor. */
export const printing = (pieces: ReadonlyArray<readonly ["stdout" | "stderr", string]>, ended = true) =>
  fakePyro({
    exec: ({ cursor = 0, execId = "0".repeat(32) }) => {
      let next = 0
      const events: Array<ExecEvent> = [{ _tag: "Started", execId }]
      for (const [from, text] of pieces) {
        const bytes = utf8(text)
        const skipped = Math.max(0, Math.min(bytes.length, cursor - next))
        next += bytes.length
        if (skipped < bytes.length) events.push({ _tag: "Output", from, bytes: bytes.subarray(skipped), next })
      }
      events.push(
        ended
          ? { _tag: "Exited", outcome: "exited", status: 3, durationMs: 2_300 }
          : { _tag: "Detached", execId }
      )
      return Stream.fromIterable(events)
    }
  })
