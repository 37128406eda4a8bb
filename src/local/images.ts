import { type Cause, Effect, Queue } from "effect"
import type { Notice } from "../contract/rows/notice.ts"
import { Environments, type OnProgress } from "../environment/Environments.ts"
import { Kernel } from "../environment/Kernel.ts"
import type { GuestImages } from "../vm/guest.ts"

/** Progress of something long as notices, offered without waiting: who shows them may be slow, or not there. */
export const noticesTo = (notices: Queue.Enqueue<Notice, Cause.Done>): OnProgress => ({ fraction, step }) =>
  void Queue.offerUnsafe(notices, { _tag: "Notice", level: "progress", message: step, fraction })

/** Kernel and environment of a name, built when they are absent. */
export const ensureImages = (environment: string, onProgress: OnProgress) =>
  Effect.gen(function*() {
    const environments = yield* Environments
    const kernel = yield* Kernel
    const image = yield* environments.ensure(environment, { onProgress })
    const images: GuestImages = { environment: image, kernel: yield* kernel.ensureWith(onProgress) }
    return images
  })
