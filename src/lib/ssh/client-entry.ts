import { Data, Result } from "effect"
import type { SshConfig } from "../../contract/rows/workspace-ssh.ts"

/** A value that OpenSSH's configuration cannot carry. */
export class EntryUnwritable extends Data.TaggedError("EntryUnwritable")<{ readonly detail: string }> {}

/** How an SSH client starts this pyro. */
export interface ProxyProgram {
  readonly argv: ReadonlyArray<string>
  /** Variables that choose the state directory. An editor starts from a desktop, and has them not. */
  readonly variables: ReadonlyArray<readonly [string, string]>
}

/** The first line of each file and of each block that pyro writes. */
export const MADE_BY = "# Made by pyro"

/** A word for the shell that runs a ProxyCommand. VSCodium's client has no shell, and knows double quotes alone. */
const quoted = (word: string) =>
  /^[A-Za-z0-9_./:=@+-]+$/.test(word)
    ? word
    : /["$`\\!]/.test(word)
    ? `'${word.replaceAll("'", "'\\''")}'`
    : `"${word}"`

const proxyCommand = (id: string, { argv, variables }: ProxyProgram) => {
  const set = variables.map(([name, value]) => `${name}=${value}`)
  const words = [...(set.length === 0 ? [] : ["env", ...set]), ...argv, "workspace", "ssh-proxy", id].map(quoted)
  // OpenSSH replaces %-tokens before the shell gets the line.
  return words.join(" ").replaceAll("%", "%%")
}

/** A path as a value of ssh_config(5). OpenSSH has no escape for some characters. */
const pathValue = (path: string): Result.Result<string, EntryUnwritable> =>
  /["\\\n\r]|\$\{/.test(path)
    ? Result.fail(
      new EntryUnwritable({
        detail:
          `${JSON.stringify(path)} has a quote, a backslash, a line break or \${, which ssh_config cannot carry; ` +
          "set PYRO_STATE_DIR to another directory"
      })
    )
    : Result.succeed(`"${path.replaceAll("%", "%%")}"`)

/**
 * The entry of a workspace for ~/.ssh/config. It names the workspace by its id, so that a later workspace of the same name is never taken for
 * it. The client offers the one key of the workspace, accepts the one key of its server, and lends neither agent nor display. Every option is known
 * to OpenSSH 8: an unknown one would break all hosts of the file.
 */
export const entryText = (config: SshConfig, program: ProxyProgram): Result.Result<string, EntryUnwritable> =>
  Result.gen(function*() {
    const identityFile = yield* pathValue(config.identityFile)
    const knownHostsFile = yield* pathValue(config.knownHostsFile)
    const command = proxyCommand(config.id, program)
    if (/[\n\r]/.test(command)) {
      return yield* Result.fail(new EntryUnwritable({ detail: "the path of pyro or of its state has a line break" }))
    }
    return `${MADE_BY}: pyro ssh-config ${config.name ?? config.id}
Host ${config.host}
  User ${config.user}
  ProxyCommand ${command}
  IdentityFile ${identityFile}
  IdentitiesOnly yes
  IdentityAgent none
  HostKeyAlias ${config.id}
  UserKnownHostsFile ${knownHostsFile}
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  PreferredAuthentications publickey
  ForwardAgent no
  ForwardX11 no
`
  })
