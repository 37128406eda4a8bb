import { Effect } from "effect"
import { NoSpace, type PyroError, VmFailed } from "../../contract/errors/errors.ts"
import { escapeGuestText } from "../../contract/text/printable.ts"
import type { GuestChannel } from "../../guest-channel/GuestChannel.ts"
import { appendTo, openFile } from "../../system/files/content.ts"
import { isDiskFull, toHostError } from "../../system/files/failure.ts"
import { guestEnvironment } from "../residents/command.ts"

const mib = 1024 * 1024

/** Maximum bytes of an archive. A larger root would make an image that is slow to restore. */
const mostMib = 8 * 1024

/** Maximum time without a byte from the guest. */
const archiveTimeout = "20 minutes"

const failed = (detail: string) => new VmFailed({ step: "archive", detail, consoleTail: "" })

/** Files of the generation or the machine, not of the root. The modules are the kernel's. */
const leftOut = [
  ...["proc", "sys", "dev", "run", "tmp", "workspace"].map((folder) => `./${folder}/*`),
  "./usr/lib/modules",
  "./etc/hostname",
  "./etc/hosts",
  "./etc/machine-id",
  "./var/cache/apt/archives/*.deb",
  "./lost+found"
]

const command = [
  "tar",
  "--directory=/",
  "--one-file-system",
  "--numeric-owner",
  "--xattrs",
  "--acls",
  "--sort=name",
  "--anchored",
  ...leftOut.map((pattern) => `--exclude=${pattern}`),
  "--create",
  "--file=-",
  "."
] as const

/**
 * Streams a tar archive of a running guest's root into a new file of the host. The guest makes the archive with its own tar. pyro
 * does not parse it here.
 */
export const archiveRoot = (channel: GuestChannel, file: string): Effect.Effect<void, PyroError> =>
  Effect.scoped(Effect.gen(function*() {
    const fd = yield* Effect.mapError(openFile(file, "wx"), toHostError)
    const tar = yield* channel.spawn({ argv: command, env: guestEnvironment({ env: {}, tty: false }), cwd: "/" })
    let [bytes, errorText] = [0, ""]
    yield* tar.forEachOutput((output): Effect.Effect<void, PyroError> => {
      if (output.from === "stderr") {
        errorText = (errorText + escapeGuestText(output.bytes)).slice(-1_000)
        return Effect.void
      }
      bytes += output.bytes.length
      if (bytes > mostMib * mib) {
        return failed(`the root has more than ${mostMib} MiB; remove what the image need not have`)
      }
      return Effect.mapError(appendTo(fd, file, output.bytes), (failure) =>
        isDiskFull(failure)
          ? new NoSpace({ where: "state directory", path: file, neededMib: Math.ceil(bytes / mib), availableMib: 0 })
          : toHostError(failure))
    })
    const exit = yield* tar.exit
    // 1: a file changed during the read, as in any root in use.
    if (exit._tag !== "exited" || exit.code > 1) return yield* failed(`the guest's tar failed: ${errorText.trim()}`)
  })).pipe(
    Effect.timeoutOrElse({
      duration: archiveTimeout,
      orElse: () => Effect.fail(failed(`it took longer than ${archiveTimeout}`))
    })
  )
