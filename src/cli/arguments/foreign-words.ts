/** Words that people know from another tool. */
export interface Foreign {
  readonly words: ReadonlyArray<string>
  /** Commands of pyro before the words. None: any command, and then pyro's commands are beneath it. */
  readonly after: ReadonlyArray<string>
  /** Pyro's words for the same: a sentence, or commands, of which the first that exists wins. */
  readonly own: ReadonlyArray<string>
}

const foreign = (after: string, words: string, ...own: ReadonlyArray<string>): Foreign => ({
  words: words.split(" "),
  after: after === "" ? [] : after.split(", "),
  own
})

const NEW = "run, workspace create"
const SIZED = "workspace exec, workspace fork, workspace update"

const NO_LIMIT =
  "A microVM has a kernel and an init of its own. Its limits are --mem-mib MIB, --vcpu-count N and --disk-mib MIB"
const BUILD = "pyro env build ENVIRONMENT --dockerfile ."
const NO_DEVICE = "A microVM gets no device of the host"
const NO_SHARE =
  "A microVM shares no directory with the host. --seed-path DIR copies one to /workspace. pyro cp copies to a workspace and back"
const RETURNS =
  `"pyro diff NAME" shows the changes. "pyro rewind NAME" goes back to before the last command. "pyro reset NAME" discards all changes ` +
  `since create, and "pyro reset NAME --snapshot SNAPSHOT" all changes since the snapshot`

/**
 * Words of docker, podman, e2b, daytona and git that lead to one answer. No answer is better than the opposite command, so a word here is
 * never treated as a misspelling, and only a word that means an end leads to a command that ends something.
 */
const FOREIGN: ReadonlyArray<Foreign> = [
  foreign(
    "",
    "delete remove rm destroy",
    "delete",
    "remove",
    "rm",
    "unpublish",
    "disconnect",
    "close",
    "service stop"
  ),
  foreign("", "kill", "stop", "close"),
  foreign("", "rmi", "env rm"),
  foreign("", "inspect info", "status", "inspect"),
  foreign("", "add create", "create", "build", "connect"),
  foreign("", "cat read", "file read"),
  foreign("", "clone", "fork"),
  foreign("", "copy", "cp"),
  foreign("", "checkpoint", "snapshot create"),
  foreign("", "log", "logs"),
  foreign("", "mv", "rename"),
  foreign(
    "daemon",
    "restart",
    `"pyro daemon stop" ends the daemon, and the next command starts one. Workspaces go on`
  ),
  foreign("", "restart", "stop then start"),
  foreign("", "run", "exec"),
  foreign("", "ssh", "attach"),
  foreign("", "unpause", "resume"),
  foreign("", "sandbox container", "workspace"),
  foreign("", "image images template", "env list"),
  foreign("workspace sync", "pull", "export"),
  // Pyro has no such command.
  foreign("", "compose"),
  foreign(
    ", workspace",
    "system volume",
    `pyro env prune removes unused images, and pyro gc removes what a crash left behind`
  ),
  foreign(", workspace", "wait", "pyro logs NAME --follow waits for a command's end. pyro exec waits by itself"),
  foreign(", workspace, workspace snapshot", "checkout restore rollback undo", RETURNS),
  foreign(
    ", workspace",
    "init",
    `A file pyro.toml says which workspace a project needs, such as environment = "debian:12". "pyro up" makes the workspace`
  ),
  foreign(
    ", daemon",
    "upgrade self-update",
    `Install the new pyro as you installed this one. "pyro daemon stop" then replaces the daemon, and workspaces go on`
  ),
  foreign(
    ", daemon",
    "uninstall",
    `"pyro host disconnect HOST" removes pyro from an agent host, and npm uninstall -g pyro the program. docs/install.md names the rest`
  ),
  foreign(
    ", env",
    "login logout",
    `Registries take the logins of this host's docker and podman: docker login REGISTRY`
  ),
  foreign("env", "load", "env import"),
  foreign(
    "env",
    "push save",
    `An environment moves between hosts as one file: "pyro env export NAME -o FILE", and there "pyro env import FILE"`
  ),

  foreign(NEW, "-m --memory", "The guest's memory is --mem-mib MIB"),
  foreign(NEW, "--cpus", "The number of virtual CPUs is --vcpu-count N"),
  foreign(
    NEW,
    "--network --net",
    "Without a network policy there is no network. --allow-host HOST grants one host, --network-policy egress every public one"
  ),
  foreign(
    `${NEW}, workspace exec`,
    "--privileged --cap-add --cap-drop --security-opt",
    "Root of the guest may do everything there, and nothing on the host"
  ),
  foreign("workspace create", "--hostname", "The guest has the name of the workspace: --name NAME"),
  foreign(
    NEW,
    "--dns --dns-search",
    "The guest asks pyro for names. pyro gives the addresses of the hosts that --allow-host or --network-policy grants"
  ),
  foreign(
    NEW,
    "--add-host",
    "A command of the guest may write /etc/hosts. A connection to an address needs --allow-ip IP"
  ),
  foreign(NEW, "--shm-size --ulimit --pids-limit --tmpfs --init --pid --ipc", NO_LIMIT),
  foreign(NEW, "--read-only", "The files of a microVM are its own. Its writes change nothing on the host"),
  foreign(NEW, "--gpus --device", NO_DEVICE),
  foreign(NEW, "--platform", "A microVM is x86-64, as its host"),
  foreign(NEW, "-v --volume --mount", NO_SHARE),
  foreign("workspace create", "--workdir", "The working directory of its commands is --cwd DIR"),
  foreign("run, workspace exec", "--workdir", "The working directory is --cwd DIR"),
  foreign("run, workspace exec, workspace create", "--env-file", "Give each variable as --env NAME=VALUE"),
  foreign("run, workspace exec", "--entrypoint", "The first word of the command is the program"),
  foreign(
    "run",
    "-p --publish",
    "Ports are those of a workspace: pyro create --name NAME, then pyro service start NAME SERVICE --publish 8080:80 COMMAND"
  ),
  foreign(
    "run",
    "-d --detach",
    "The microVM ends with its command. A workspace stays: pyro create --name NAME, then pyro exec NAME --detach COMMAND"
  ),
  foreign(
    "run",
    "--name",
    "The microVM ends with its command. A workspace has a name and stays: pyro create --name NAME, then pyro exec NAME COMMAND"
  ),
  foreign(
    "workspace create",
    "-p --publish",
    "A port is published once the workspace is there: pyro port publish NAME 8080:80"
  ),
  foreign(
    "workspace create",
    "-P --publish-all --expose",
    "A port is published once the workspace is there: pyro port publish NAME 8080:80"
  ),
  foreign("workspace create", "-f --file --build", "The Dockerfile, or its directory, is --dockerfile PATH"),
  foreign(
    "workspace create",
    "--build-arg --target --no-cache --pull",
    `An environment is built with arguments by ${BUILD} --build-arg NAME=VALUE. Then: pyro create ENVIRONMENT`
  ),
  foreign(
    "run",
    "--dockerfile --build-arg --file -f",
    `An environment comes first: ${BUILD}. Then: pyro run ENVIRONMENT COMMAND`
  ),
  foreign(NEW, "--image", "The image is the first word, as in pyro create docker.io/library/python:3.12-slim"),
  foreign(
    "workspace create",
    "--tag",
    "The name of the workspace is --name NAME. A built environment has the name of pyro env build"
  ),
  foreign(
    "workspace create",
    "--restart --health-cmd --healthcheck --entrypoint",
    "A program that stays is a service: pyro service start NAME SERVICE --restart always --ready-tcp 8080 COMMAND"
  ),
  foreign("workspace create", "-d --detach", "A workspace stays until it is deleted"),
  foreign("workspace create", "-i -t -it", "pyro attach NAME opens a terminal in the workspace once it is there"),
  foreign("workspace create", "-u --user", "The owner of /workspace and user of commands is --workspace-user USER"),
  foreign("workspace create", "--rm", "--ttl-seconds SECONDS deletes a workspace without a use for so long"),
  foreign(
    SIZED,
    "-m --memory --memory-mib --mem-mib --cpus --vcpu-count",
    "Memory and CPUs stay as create made them. Another workspace may have more: pyro create --mem-mib MIB --vcpu-count N"
  ),
  foreign(
    "workspace delete",
    "-f --force -r",
    "A workspace is deleted with its disk, running or not, and without a question if it is named"
  ),
  foreign(
    "workspace reset",
    "--hard",
    "A reset discards every change of disk and memory. --snapshot NAME returns to a snapshot, and no option to the state after create"
  ),
  foreign("workspace cp", "-a --archive -p", "Files keep the times of their last modification in any case"),
  foreign(
    "workspace cp",
    "-f --force",
    "Out of a workspace, --overwrite replaces files. Into a workspace, they are replaced in any case"
  ),
  foreign("workspace file write", "--content", "The content is --text TEXT, --from FILE, or stdin"),
  foreign(
    "workspace fork",
    "--from-snapshot",
    "A workspace starts from a saved snapshot: pyro create --from-snapshot NAME. A fork begins from a snapshot of its own workspace: --snapshot NAME"
  ),
  foreign("workspace list", "-a --all", "The list has all workspaces, running or not"),
  foreign("workspace list", "-q", "Ids alone: --id-only"),
  foreign("workspace list", "-f --filter", "Workspaces with a label: --label NAME=VALUE"),
  foreign(
    "workspace logs",
    "-t --timestamps --since --until",
    "Times are those of everything that happened: pyro timeline NAME. pyro history NAME lists commands"
  ),
  foreign("workspace stop", "-t --time --timeout", "A stop ends every command and the microVM. Files stay"),
  foreign("workspace delete", "-v --volumes", "A workspace is deleted with all of its disk"),
  foreign("workspace start", "-a --attach -i", "pyro attach NAME opens a terminal in the workspace once it runs"),
  foreign(
    "workspace commit",
    "-m --message -a --author",
    "An environment has a name and no message: pyro commit NAME ENVIRONMENT"
  ),
  foreign("workspace logs", "-n --tail", "All output of a command, or less of it: pyro logs NAME ID | tail -n 20"),
  foreign("workspace attach", "--detach-keys", "The key that detaches is --detach-key KEY"),

  // Of the first pyro.
  foreign(
    NEW,
    "--allow-host-compat",
    "pyro runs a command of a guest in a microVM only, and never on the host. pyro doctor shows what a host lacks"
  ),
  foreign("doctor", "--platform", "pyro runs on x86-64 Linux only"),
  foreign("demo", "--network", "The tour needs no network"),
  foreign(
    "demo",
    "--base-url --model -v --verbose",
    "pyro drives no model itself: pyro host connect HOST gives its tools to an agent host, and pyro agent AGENT runs an agent in a workspace"
  )
]

/** What pyro has for a word after these words. */
export const foreignWord = (front: ReadonlyArray<string>, word: string): Foreign | undefined =>
  FOREIGN.find(({ after, words }) => words.includes(word) && (after.length === 0 || after.includes(front.join(" "))))

/** Whether pyro's words are a sentence. */
export const isSentence = (own: string): boolean => /^["A-Z]|^pyro /.test(own)

/** `NAME` of a workspace that the commands of a sentence take, and the one that an option gives. Neither is `--label NAME=VALUE`. */
const TAKEN = /(?<!--[a-z-]+ )\bNAME\b(?!=)/g
const GIVEN = /(?<=--name )NAME\b/g

/** Names that the command line has. */
export interface TypedNames {
  /** The workspace. */
  readonly workspace?: string | undefined
  /** The value of `--name`, or of an option in its place. */
  readonly name?: string | undefined
}

/** A sentence with the names that were typed. */
export const withNames = (sentence: string, { name, workspace = name }: TypedNames): string =>
  sentence.replace(TAKEN, () => workspace ?? "NAME").replace(GIVEN, () => name ?? "NAME")

/** The sentence for an option that people know from another tool. */
export const foreignOption = (
  path: ReadonlyArray<string>,
  option: string,
  names: TypedNames = {}
): string | undefined => {
  const [sentence] = foreignWord(path, option)?.own ?? []
  return sentence && withNames(sentence, names)
}
