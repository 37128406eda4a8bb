import { Deferred, Effect, Stream } from "effect"

/** Keys up to the detach key, which completes `detached`. */
export const keysUntil = (keys: Stream.Stream<Uint8Array>, detachKey: string, detached: Deferred.Deferred<void>) => {
  if (detachKey === "none") return keys
  const code = detachKey.toUpperCase().charCodeAt("ctrl-".length) & 0x1f
  return keys.pipe(
    Stream.mapEffect((bytes) => {
      const at = bytes.indexOf(code)
      return at < 0
        ? Effect.succeed(bytes)
        : Effect.as(Deferred.succeed(detached, undefined), bytes.subarray(0, at))
    }),
    Stream.takeUntilEffect(() => Deferred.isDone(detached))
  )
}
