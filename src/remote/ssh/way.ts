import { Effect } from "effect"
import { execFile, spawn } from "node:child_process"
import * as path from "node:path"
import type { SshAddress } from "../../contract/text/ssh-address.ts"
import { ensureFolder, makePrivate } from "../../system/files/entries.ts"
import { destination, options, readSettings } from "./arguments.ts"

export const SSH = "ssh"

/** A socket's address holds 104 bytes on macOS and 108 on Linux. ssh adds a suffix of 17 to a socket that it makes, and `%C` is 40 digits. */
const FOLDER_BYTES = 104 - 17 - 40 - 2

/** A folder of this user for sockets of shared connections: other users must not reach them. */
const socketFolder = (stateDir: string) => {
  const folder = path.join(stateDir, "contexts", "ssh")
  // Windows' OpenSSH shares no connection.
  const fits = process.platform !== "win32" && Buffer.byteLength(folder) <= FOLDER_BYTES
  if (!fits) return Effect.undefined
  return Effect.andThen(
    ensureFolder(folder),
    Effect.map(makePrivate(folder), (isPrivate) => isPrivate ? folder : undefined)
  )
}

/** Maximum time for the person's configuration, which may start programs (`Match exec`), in ms. */
const SETTINGS_MS = 15_000

const printedSettings = (address: SshAddress) =>
  Effect.callback<string, Error>((resume) => {
    const child = execFile(
      SSH,
      ["-G", ...destination(address)],
      { timeout: SETTINGS_MS, encoding: "utf8" },
      (error, stdout) => resume(error === null ? Effect.succeed(stdout) : Effect.fail(error))
    )
    return Effect.sync(() => void child.kill())
  })

/** The words of ssh for an address, with and without a question to the person. */
export const wayTo = (address: SshAddress, stateDir: string) =>
  Effect.gen(function*() {
    const settings = readSettings(yield* printedSettings(address))
    const folder = yield* socketFolder(stateDir)
    const words = (mayAsk: boolean) => options(settings, { mayAsk, socketFolder: folder })
    const isShared = words(false).some((word) => word.startsWith("ControlPath=")) ||
      (settings.get("controlpath") ?? "none") !== "none"
    return {
      /** Whether a login of one process serves the next ones. */
      isShared,
      /** Runs a command line of the other machine's shell. Asks nothing. */
      running: (command: string) => [...words(false), ...destination(address), command],
      /** Logs in, and stays in the background for the next ones. May ask on the terminal. */
      loggingIn: [
        "-f",
        "-N",
        ...words(true).filter((word, at, all) => ![word, all[at + 1]].includes("ForkAfterAuthentication=no")),
        ...destination(address)
      ]
    }
  })

/** Lets ssh ask the person on this process's terminal. Gives its exit status. */
export const logIn = (words: ReadonlyArray<string>) =>
  Effect.callback<number>((resume) => {
    // Stdout is for results.
    const child = spawn(SSH, words, { stdio: ["inherit", process.stderr, "inherit"] })
    child.once("error", () => resume(Effect.succeed(1)))
    child.once("exit", (status) => resume(Effect.succeed(status ?? 1)))
    return Effect.sync(() => void child.kill())
  })
