import type { SpawnOptions } from "@anthropic-ai/claude-agent-sdk"
import { basename, isAbsolute } from "node:path"
import type { Workspace } from "pyro/promises"

/** Where npm has Claude Code's package for Linux, in an environment of `pyro env build` and of `pyro agent claude-code`. */
const FROM_NPM = "/usr/local/lib/node_modules/@anthropic-ai/claude-code-linux-x64/claude"

/** Runs `claude` of the guest, from the PATH or else from npm's package. */
const FIND = `program=$(command -v claude) || program=${FROM_NPM}
if [ ! -x "$program" ]; then
  echo 'The guest has no Claude Code. Create the workspace from an environment that has it: pyro env build claude-code --from debian:12 --npm @anthropic-ai/claude-code-linux-x64@2' >&2
  exit 127
fi
exec "$program" "$@"`

const RUNTIMES = ["node", "bun", "deno"]

/** Index of Claude Code's own path among the words of the SDK: those before it are the runtime of a script. */
const indexOfProgram = (words: ReadonlyArray<string>): number =>
  RUNTIMES.includes(basename(words[0] ?? "")) ? words.findIndex((word) => /\.[cm]?[jt]sx?$/.test(word)) : 0

/** The words that run Claude Code in the guest, for those that would run it on this host. */
export const wordsOf = async (
  { files }: Workspace,
  { args, command }: SpawnOptions,
  program: string | undefined
): Promise<ReadonlyArray<string>> => {
  const words = [command, ...args]
  const at = indexOfProgram(words)
  const rest = words.slice(at + 1)
  if (program !== undefined) return [program, ...rest]
  const path = words[at] ?? ""
  const isOfGuest = isAbsolute(path) && (await files.stat(path))?.type === "file"
  return isOfGuest ? words : ["sh", "-c", FIND, "claude", ...rest]
}
