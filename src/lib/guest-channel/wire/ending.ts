import type { ProcessExit } from "../model/process.ts"
import { decodePayload } from "./control.ts"
import { AgentMessage, failedSteps } from "./messages.ts"
import { Violation } from "./violation.ts"

/** The agent did not do it, or gave up on it. */
export interface Refused {
  readonly _tag: "refused"
  readonly errno: number
  readonly step: (typeof failedSteps)[number]
  readonly detail: Uint8Array
}

const tags = ["exited", "signaled", "oom"] as const

/** Reads FAILED or EXITED. */
export const readEnding = (kind: number, payload: Buffer): ProcessExit | Refused => {
  if (kind === AgentMessage.Failed.kind) {
    const { detail, errno, step } = decodePayload(AgentMessage.Failed.fields, payload)
    const name = failedSteps[step]
    if (name === undefined || name === "" || errno === 0) {
      throw new Violation(`failed at step ${step} with error ${errno}`)
    }
    // The payload is a view of a socket chunk; the detail may be kept for long.
    return { _tag: "refused", errno, step: name, detail: Uint8Array.from(detail as Uint8Array) }
  }
  if (kind !== AgentMessage.Exited.kind) throw new Violation(`ended by a frame of kind 0x${kind.toString(16)}`)
  const { code, durationNs, how } = decodePayload(AgentMessage.Exited.fields, payload)
  const tag = tags[how]
  if (tag === undefined) throw new Violation(`exited in the unknown way ${how}`)
  if (tag === "exited" ? code > 255 : code < 1 || code > 64) throw new Violation(`${tag} with ${code}`)
  return { _tag: tag, code, durationMs: Number(durationNs) / 1e6 }
}
