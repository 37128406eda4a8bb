import { Effect } from "effect"
import { insideNames } from "../../contract/rows/agent-host.ts"
import type { CliSurface } from "../../contract/rows/operation.ts"
import { firstWords, GROUP } from "../arguments/aliases.ts"
import { pathAfter, splitArgv } from "../arguments/argv.ts"
import { CONTEXT, type Flag, flagsOf } from "../arguments/flags.ts"
import { hostNames } from "../rows/host.ts"
import { type Command, commands } from "../rows/rows.ts"

/** Names that only the host knows. */
export interface Names {
  readonly workspaces: Effect.Effect<ReadonlyArray<string>>
  readonly workspaceIds: Effect.Effect<ReadonlyArray<string>>
  /** Ids of a workspace's newest commands. */
  readonly commands: (workspace: string) => Effect.Effect<ReadonlyArray<string>>
  /** Names of a workspace's snapshots. The workspace has its name or id. */
  readonly snapshots: (workspace: string) => Effect.Effect<ReadonlyArray<string>>
  /** Names of the saved snapshots. */
  readonly saved: Effect.Effect<ReadonlyArray<string>>
  readonly environments: Effect.Effect<ReadonlyArray<string>>
  /** Names of the services of a workspace. None without a daemon. */
  readonly services: (workspace: string) => Effect.Effect<ReadonlyArray<string>>
  /**
   * Names of the entries of a directory in a running workspace; directories end with a slash. The guest chose them. None without a
   * daemon.
   */
  readonly guestFiles: (workspace: string, directory: string) => Effect.Effect<ReadonlyArray<string>>
  /** Files of the working directory with this prefix; directories end with a slash. */
  readonly files: (prefix: string) => Effect.Effect<ReadonlyArray<string>>
  /** Names of the contexts, that of this machine included. */
  readonly contexts: Effect.Effect<ReadonlyArray<string>>
  /** Whether the line works on another machine. `context`: the one that the line names. */
  readonly isElsewhere: (context: string | undefined) => Effect.Effect<boolean>
}

/** For a line that works on another machine, whose names this one does not know. A completion connects to nothing. */
const elsewhere = (names: Names): Names => ({
  ...names,
  workspaces: none,
  workspaceIds: none,
  commands: () => none,
  snapshots: () => none,
  saved: none,
  environments: none,
  services: () => none,
  guestFiles: () => none
})

const OPTION = `--${CONTEXT}`
const JOINED = `${OPTION}=`

/** The words without the option of a context. `isAwaited`: the next word is its value. */
const withoutContext = (words: ReadonlyArray<string>) => {
  const others: Array<string> = []
  let context: string | undefined
  let isAwaited = false
  for (const word of words) {
    if (isAwaited || word.startsWith(JOINED)) {
      context = isAwaited ? word : word.slice(JOINED.length)
      isAwaited = false
    } else if (word === OPTION) {
      isAwaited = true
    } else {
      others.push(word)
    }
  }
  return { context, isAwaited, others }
}

/** Commands without a row. */
const OWN = ["completion", "help", "version"]

/**
 * Candidates for the last of the words after `pyro`, which may be empty. An empty answer means that pyro does
 * not know, and the shell offers files.
 */
export const complete = (words: ReadonlyArray<string>, names: Names): Effect.Effect<ReadonlyArray<string>> => {
  const prefix = words.at(-1) ?? ""
  const before = words.slice(0, -1)
  const candidates = splitArgv(before).rest !== undefined ? none : own(before, prefix, names)
  return Effect.map(
    candidates,
    (all) => [...new Set(all)].filter((one) => one.startsWith(prefix) && one !== prefix && isPlain(one)).sort()
  )
}

/** Candidates for a word of pyro's own. */
const own = (before: ReadonlyArray<string>, prefix: string, names: Names) => {
  const { context, isAwaited, others } = withoutContext(before)
  if (isAwaited) return names.contexts
  if (prefix.startsWith(JOINED)) return Effect.map(names.contexts, (all) => all.map((name) => JOINED + name))
  const spelled = spelledOut(others[0] === "help" ? others.slice(1) : others)
  return Effect.flatMap(
    names.isElsewhere(context),
    (isThere) => after(spelled, prefix, isThere ? elsewhere(names) : names)
  )
}

/** Whether a name is one line of visible characters. A shell quotes the rest. */
const isPlain = (name: string) => !/[\p{C}\p{Zl}\p{Zp}]/u.test(name)

/** The words with each alias replaced by pyro's own words. */
const spelledOut = (words: ReadonlyArray<string>): ReadonlyArray<string> => {
  let path: ReadonlyArray<string> = []
  let isKnown = true
  return words.flatMap((word) => {
    const longer = isKnown && !word.startsWith("-") ? pathAfter(path, word) : undefined
    if (longer === undefined) {
      isKnown &&= word.startsWith("-")
      return [word]
    }
    const added = longer.slice(path.length)
    path = longer
    return added
  })
}

const none = Effect.succeed<ReadonlyArray<string>>([])

const after = (before: ReadonlyArray<string>, prefix: string, names: Names): Effect.Effect<ReadonlyArray<string>> => {
  const path = before.filter((word) => !word.startsWith("-"))
  const operation = commands.find((row) => row.cli.path.every((word, at) => path[at] === word))
  if (operation !== undefined) return inOperation(operation, before, prefix, names)
  if (path.length === 1 && path[0] === "completion") return Effect.succeed(SHELLS)
  const next = [path, ...(path.length === 0 ? [] : [[GROUP, ...path]])].flatMap((front) =>
    commands.flatMap(({ cli }) =>
      front.every((word, at) => cli.path[at] === word) ? cli.path.slice(front.length, front.length + 1) : []
    )
  )
  const others = path.length === 0 ? [...OWN, ...Object.keys(firstWords(commands.map(({ cli }) => cli.path)))] : []
  return Effect.succeed([...next, ...others, ...dashed(prefix, ["--help", ...(path.length === 0 ? [OPTION] : [])])])
}

export const SHELLS = ["bash", "zsh", "fish"] as const

/** Offers flags after a typed dash. */
const dashed = (prefix: string, flags: ReadonlyArray<string>) => prefix.startsWith("-") ? flags : []

const inOperation = (operation: Command, before: ReadonlyArray<string>, prefix: string, names: Names) => {
  const cli: CliSurface = operation.cli
  const flags = flagsOf(operation)
  const called = (word: string | undefined) =>
    flags.find(({ also, letter, name }) =>
      word === `--${name}` || (also !== undefined && word === `--${also}`) ||
      (letter !== undefined && word === `-${letter}`)
    )
  const awaited = called(before.at(-1))
  const given = before
    .filter((word, at) => !word.startsWith("-") && called(before[at - 1])?.value === undefined)
    .slice(cli.path.length)
  const snapshots = given[0] === undefined ? none : names.snapshots(given[0])
  if (awaited?.value !== undefined) {
    switch (awaited.field?.name) {
      case "snapshot":
        return snapshots
      case "from_snapshot":
        return names.saved
      case "exec_id":
        return given[0] === undefined ? none : names.commands(given[0])
      default:
        return Effect.succeed(choicesOf(awaited))
    }
  }
  if (prefix.startsWith("-")) {
    const left = flags.filter(({ name, repeated }) => repeated || !before.includes(`--${name}`))
    const rest = cli.rest === undefined ? [] : ["--"]
    return Effect.succeed([...left.map(({ name }) => `--${name}`), "--help", ...rest])
  }
  const late = cli.argsOrFlags?.[given.length - cli.args.length]
  const argument = late ?? cli.args[Math.min(given.length, cli.args.length - 1)]
  if (argument !== undefined && cli.args[0] === "workspace" && GUEST_PATHS.has(argument)) {
    return given[0] === undefined ? none : guestFilesFor(given[0], prefix, names)
  }
  switch (argument) {
    case "workspaces":
      return Effect.map(workspacesFor(prefix, names), (all) => all.filter((name) => !given.includes(name)))
    case "from":
    case "to":
      return given.length < cli.args.length ? compared(prefix, names) : none
    case "workspace":
      return given.length < cli.args.length ? workspacesFor(prefix, names) : none
    case "exec_id":
      return given.length === 1 ? names.commands(given[0]!) : none
    case "name":
      if (cli.completes?.["name"] === "contexts") return given.length === 0 ? names.contexts : none
      if (cli.completes?.["name"] === "saved") return given.length < cli.args.length ? names.saved : none
      if (given.length >= cli.args.length) return none
      if (cli.completes?.["name"] === "services") return given[0] === undefined ? none : names.services(given[0])
      // Other names are new.
      return cli.completes?.["name"] === "snapshots" ? snapshots : none
    case "host":
      return given.length < cli.args.length ? Effect.succeed(hostNames) : none
    case "agent":
      return given.length < cli.args.length ? Effect.succeed(insideNames) : none
    case "environments":
      return Effect.map(names.environments, (all) => all.filter((name) => !given.includes(name)))
    case "source":
    case "target":
      return given.length < cli.args.length ? placesFor(prefix, names) : none
    case "environment":
      return given.length < cli.args.length ? names.environments : none
    default:
      return none
  }
}

/** Names of workspaces, and ids if the prefix begins an id. */
const workspacesFor = (prefix: string, names: Names) =>
  prefix.startsWith("ws-")
    ? Effect.zipWith(names.workspaces, names.workspaceIds, (all, ids) => [...all, ...ids])
    : names.workspaces

/** Arguments of a command with a workspace that are paths in its guest. */
const GUEST_PATHS = new Set(["path", "paths", "target"])

/**
 * Files of a workspace with this prefix. Hidden files need a dot. A name that begins with a dash would be an option, and one with a tilde
 * a home directory of the host: fish does not quote it.
 */
const guestFilesFor = (workspace: string, prefix: string, names: Names) => {
  const directory = prefix.slice(0, prefix.lastIndexOf("/") + 1)
  const isHidden = prefix.slice(directory.length).startsWith(".")
  return Effect.map(
    names.guestFiles(workspace, directory === "" ? "." : directory),
    (all) =>
      all.filter((name) => (isHidden || !name.startsWith(".")) && (directory !== "" || !/^[-~]/.test(name)))
        .map((name) => directory + name)
  )
}

/** Arguments of `cp`: places in workspaces, which begin with a name and a colon, and files of the host. The shell itself offers only files. */
const placesFor = (prefix: string, names: Names) => {
  const [, workspace, path] = /^([^:/]+):(.*)$/.exec(prefix) ?? []
  if (workspace !== undefined && path !== undefined) {
    return Effect.map(guestFilesFor(workspace, path, names), (all) => all.map((one) => `${workspace}:${one}`))
  }
  return prefix.includes("/")
    ? none
    : Effect.flatMap(workspacesFor(prefix, names), (all) => {
      const places = all.filter((name) => name.startsWith(prefix)).map((name) => `${name}:`)
      return places.length === 0 ? none : Effect.map(names.files(prefix), (files) => [...places, ...files])
    })
}

/** Workspaces, or after an `@` the snapshots of one. */
const compared = (prefix: string, names: Names) => {
  const [workspace = ""] = prefix.split("@", 1)
  return prefix.includes("@")
    ? Effect.map(names.snapshots(workspace), (all) => all.map((snapshot) => `${workspace}@${snapshot}`))
    : workspacesFor(prefix, names)
}

const choicesOf = ({ field }: Flag): ReadonlyArray<string> => field?.kind._tag === "choice" ? field.kind.choices : []

/**
 * Bash splits words at `:`, `=` and `@`, even within `debian:12`. This script joins them for pyro. It cuts pyro's answers to the part that replaces
 * `$2`, which begins with the `@` but not with `:` or `=`, and is the whole word if COMP_WORDBREAKS has none of them.
 */
const bash = `_pyro() {
  local -a words=()
  local at word cut joined=
  for ((at = 1; at <= COMP_CWORD; at++)); do
    word=\${COMP_WORDS[at]}
    if [[ \${#words[@]} -gt 0 && ( -n $joined || $word == [:=@]* ) ]]; then
      words[-1]+=$word
      [[ $word == *[:=@] ]] && joined=1 || joined=
    else
      words+=("$word")
    fi
  done
  mapfile -t COMPREPLY < <("$1" __complete -- "\${words[@]}" 2>/dev/null)
  # Bash inserts an answer as it is: quoted, no name of a file can be a command.
  [[ \${#COMPREPLY[@]} -eq 0 ]] || mapfile -t COMPREPLY < <(printf '%q\\n' "\${COMPREPLY[@]}")
  word=\${words[-1]}
  cut=\${word%"$2"}
  if [[ $word == "$cut$2" ]]; then
    COMPREPLY=("\${COMPREPLY[@]#"$cut"}")
  else
    COMPREPLY=()
  fi
  # The person types more after a workspace or a directory.
  [[ \${#COMPREPLY[@]} -ne 1 || \${COMPREPLY[0]} != *[:/] ]] || compopt -o nospace 2>/dev/null
}
complete -o default -F _pyro pyro
`

const zsh = `#compdef pyro
_pyro() {
  local -a candidates
  candidates=(\${(f)"$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)"})
  if (( \${#candidates} )); then
    # The person types more after a workspace or a directory.
    compadd -S '' -- \${(M)candidates:#*[:/]}
    compadd -- \${candidates:#*[:/]}
  else
    _files
  fi
}
if [[ \${funcstack[1]} == _pyro ]]; then
  _pyro "$@"
else
  compdef _pyro pyro
fi
`

/** An empty word must be one argument: with `string collect --allow-empty` it is two in fish 3.6. */
const fish = `function __pyro_complete
  set -l words (commandline -opc)
  set -l token (commandline -ct)
  set -l candidates ($words[1] __complete -- $words[2..-1] "$token" 2>/dev/null)
  if test (count $candidates) -gt 0
    printf '%s\\n' $candidates
  else
    __fish_complete_path (commandline -ct)
  end
end
complete -c pyro -f -a '(__pyro_complete)'
`

/** Scripts that a shell sources for completion. */
export const completionScripts = { bash, zsh, fish } as const

export const completionHelp = `Print a script that completes pyro's command lines, names of workspaces included.

Usage
  pyro completion bash|zsh|fish

Set up
  bash   echo 'source <(pyro completion bash)' >> ~/.bashrc
  zsh    echo 'source <(pyro completion zsh)' >> ~/.zshrc      (after compinit)
  fish   pyro completion fish > ~/.config/fish/completions/pyro.fish
`
