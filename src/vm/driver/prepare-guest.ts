import { Effect, Stream } from "effect"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { lowerDirectory } from "../guest-steps.ts"
import type { Guest } from "../guest.ts"
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

/** Brings a booted guest into the state of a template. With `isMounted`, its empty workspace disk is mounted. */
export const prepareGuest = ({ channel, vm }: Guest, isMounted: boolean) =>
  Effect.gen(function*() {
    yield* channel.chain(templateSteps)
    for (const path of warmFiles) yield* warm(channel, path)
    if (isMounted) yield* channel.chain(vm.steps.mountEmpty)
    yield* channel.call.sync({ dropCaches: 0 })
  })
