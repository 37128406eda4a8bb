import { Effect, Stream } from "effect"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { failedAt } from "../model/failure.ts"
import { lowerDirectory } from "../model/guest-steps.ts"
import type { Guest, GuestImages } from "../model/guest.ts"
import { runEach, warmUpCommand } from "../model/warm-up.ts"
import { templateSteps } from "./machine-steps.ts"

/** Files that nearly every command needs, read into the guest's page cache once for all clones. */
const warmFiles = [
  "usr/bin/bash",
  "usr/bin/dash",
  "usr/bin/true",
  "usr/bin/env",
  "usr/bin/cat",
  "usr/bin/ls",
  "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
  "usr/lib/x86_64-linux-gnu/libc.so.6",
  "usr/lib/x86_64-linux-gnu/libtinfo.so.6",
  "usr/lib/locale/C.utf8/LC_CTYPE",
  "etc/ld.so.cache",
  "etc/passwd",
  "etc/group",
  "etc/nsswitch.conf"
]

/** Reads a file of the environment to its end. Some environments lack it. */
const warm = (channel: GuestChannel, path: string) =>
  channel.read({ root: lowerDirectory, path }).pipe(
    Stream.runDrain,
    Effect.catchTag("AgentCallFailed", () => Effect.void)
  )

type Programs = GuestImages["environment"]["firstPrograms"]

/**
 * Brings a booted guest into the state of a template. With `isMounted`, its empty workspace disk is mounted, and programs that every guest of the
 * environment starts have run: their files are in the page cache.
 */
export const prepareGuest = ({ channel, vm }: Guest, programs: Programs = [], isMounted: boolean) =>
  Effect.gen(function*() {
    yield* channel.chain(templateSteps)
    for (const path of warmFiles) yield* warm(channel, path)
    if (isMounted) {
      yield* channel.chain(vm.steps.mountEmpty)
      if (programs.length > 0) {
        const { begin, undo } = vm.steps.warmUp
        yield* Effect.mapError(
          runEach(channel, begin({ isMounted }), programs.map((argv) => warmUpCommand(...argv))),
          (failure) => failure._tag === "ChannelFailed" ? failure : failedAt("template")(failure)
        )
        yield* channel.chain(undo({ isMounted }))
      }
    }
    yield* channel.call.sync({ dropCaches: 0 })
  })
