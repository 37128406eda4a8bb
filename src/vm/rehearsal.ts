import { Effect, Stream } from "effect"
import { type ChannelFailed, VmFailed } from "../contract/errors.ts"
import type { AgentCallFailed } from "../guest-channel/errors.ts"
import type { GuestChannel } from "../guest-channel/GuestChannel.ts"
import type { SpawnRequest } from "../guest-channel/process.ts"
import { rehearsalSteps, undoRehearsal } from "./claim.ts"
import { failedAt } from "./failure.ts"
import { patience } from "./patience.ts"
import type { Guest } from "./Vmm.ts"

const command = (...argv: SpawnRequest["argv"]): SpawnRequest => ({
  argv,
  env: [
    "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG=C.UTF-8",
    "SHELL=/bin/bash",
    "TERM=dumb"
  ],
  cwd: "/workspace",
  // As every command of a workspace has: the first limit that is set in a guest takes it a while.
  pidsMax: 1024
})

/** What most first commands do: a shell, programs from it, files read, listed, written, removed. */
const first = command("/bin/bash", "-c", "cat /etc/hostname; ls -la / > y; head -c 10 y; (echo x; true) | cat; rm y")
const others = [command("/bin/sh", "-c", "true; cat /etc/hosts"), command("true"), command("true")]

/** A rehearsal takes 0.3 s, and a host that is busy several times as long. */
const timeoutMs = 20_000 * patience

const toItsEnd = (process: Effect.Effect.Success<ReturnType<GuestChannel["spawn"]>>) =>
  Effect.zipRight(Stream.runDrain(process.output), process.exit)

/** The agent's ways with files: each is a helper process of its own. */
const files = (channel: GuestChannel) => {
  const target = { root: "/workspace", path: "y" }
  return channel.write({ ...target, mode: 0o644 }, Stream.make(Buffer.from("x"))).pipe(
    Effect.zipRight(Stream.runDrain(channel.read(target))),
    Effect.zipRight(Stream.runDrain(channel.walk({ root: "/workspace", path: "" })))
  )
}

/** File systems of the disks that the guest's kernel still has, wherever they are mounted. */
const fileSystemsLeft = (channel: GuestChannel) =>
  Stream.runCount(channel.walk({ root: "/proc/fs/ext4", path: "" })).pipe(
    // The folder itself comes with the first file system.
    Effect.catchIf(
      (failure) => failure._tag === "AgentCallFailed" && failure.errno === "ENOENT",
      () => Effect.succeed(0)
    )
  )

/**
 * Takes a restored guest through its whole claim, on placeholder disks, and back: its kernel's and its agent's code has then run
 * once, which under TCG is most of the time that a claim takes. Fails unless both disks are free to be switched afterwards.
 */
export const rehearse = ({ channel, vm }: Guest): Effect.Effect<void, VmFailed | ChannelFailed> =>
  Effect.gen(function*() {
    yield* Effect.scoped(Effect.flatMap(channel.spawnAfter(rehearsalSteps(), first), toItsEnd))
    for (const request of others) yield* Effect.scoped(Effect.flatMap(channel.spawn(request), toItsEnd))
    yield* files(channel)
    yield* channel.chain([...undoRehearsal])
    const left = yield* fileSystemsLeft(channel)
    if (left > 0) {
      return yield* new VmFailed({ step: "rehearsal", detail: "a disk of it is still mounted", consoleTail: "" })
    }
  }).pipe(
    Effect.mapError((failure: RehearsalFailed) =>
      failure._tag === "ChannelFailed" ? failure : failedAt("rehearsal")(failure)
    ),
    Effect.raceFirst(vm.health.failure),
    Effect.timeoutFail({
      duration: timeoutMs,
      onTimeout: () =>
        new VmFailed({ step: "rehearsal", detail: `the guest was not through within ${timeoutMs} ms`, consoleTail: "" })
    }),
    Effect.mapError((failure) => failure._tag === "ChannelFailed" ? failure : failedAt("rehearsal")(failure))
  )

type RehearsalFailed =
  | VmFailed
  | ChannelFailed
  | AgentCallFailed
  | Effect.Effect.Error<ReturnType<GuestChannel["spawn"]>>
