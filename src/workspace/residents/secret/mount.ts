import { Effect } from "effect"
import { CommandNotStarted, InvalidRequest } from "../../../contract/errors/errors.ts"
import type { GuestChannel } from "../../../lib/guest-channel/GuestChannel.ts"
import { guestEnvironment } from "../program/command.ts"

/** A secret as a file for one command. */
export interface SecretMount {
  readonly path: string
  readonly value: string
}

const NOT_TMPFS = 3
const EXISTS = 4

/** Arguments: path, owner. The shell's noclobber makes a new file, and follows no link. */
const WRITE = `set -euC; umask 077
dir=$(dirname "$1"); [ -d "$dir" ] || mkdir -p -m 755 "$dir"
[ "$(stat -f -c %T "$dir")" = tmpfs ] || exit ${NOT_TMPFS}
if [ -e "$1" ] || [ -L "$1" ]; then exit ${EXISTS}; fi
cat > "$1"; chmod 400 "$1"; chown "$2" "$1"`

const env = guestEnvironment({ env: {}, tty: false })

const script = (channel: GuestChannel, text: string, args: ReadonlyArray<string>, input = "") =>
  Effect.scoped(Effect.gen(function*() {
    const process = yield* channel.spawn({ argv: ["/bin/sh", "-c", text, "sh", ...args], env, cwd: "/", stdin: true })
    yield* Effect.andThen(process.writeStdin(Buffer.from(input, "utf8")), process.endStdin)
    yield* process.forEachOutput(() => Effect.void)
    return yield* process.exit
  })).pipe(Effect.interruptible)

const failureOf = (path: string, code: number): CommandNotStarted | InvalidRequest => {
  switch (code) {
    case NOT_TMPFS:
      return new InvalidRequest({
        field: "secret_mount",
        detail: `${path} is not on a tmpfs, and a disk would keep the secret. Choose a path beneath /run or /dev/shm`
      })
    case EXISTS:
      return new InvalidRequest({
        field: "secret_mount",
        detail: `${path} exists already; another command may use the file. Choose another path: NAME=/run/secrets/other`
      })
    default:
      return new CommandNotStarted({ step: "secret", detail: `${path} could not be written (status ${code})` })
  }
}

/** Writes secrets to new files that only the command's user can read. If one fails, none stays. */
export const mountSecrets = (
  channel: GuestChannel,
  mounts: ReadonlyArray<SecretMount>,
  user: string
) =>
  Effect.gen(function*() {
    const made: Array<string> = []
    for (const { path, value } of mounts) {
      const exit = yield* script(channel, WRITE, [path, user], value).pipe(
        Effect.onError(() => unmountSecrets(channel, made))
      )
      if (exit._tag === "exited" && exit.code === 0) made.push(path)
      else {
        yield* unmountSecrets(channel, exit.code === EXISTS ? made : [...made, path])
        return yield* Effect.fail(failureOf(path, exit.code))
      }
    }
  })

/** Removes the files. If the guest does not answer, they end with its memory. */
export const unmountSecrets = (channel: GuestChannel, paths: ReadonlyArray<string>): Effect.Effect<void> =>
  paths.length === 0 ? Effect.void : Effect.ignore(script(channel, "rm -f -- \"$@\"", paths))
