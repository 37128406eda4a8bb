import { named, table } from "../../contract/text/names.ts"

type Hints = Readonly<Record<string, string>>

/** One hint for several options. */
const each = (options: string, hint: string): Hints =>
  named(options.split(" ").map((option) => [option, hint] as const))

const MACHINE: Hints = {
  ...each("-m --memory", "The guest's memory is --mem-mib MIB"),
  ...each("-c --cpus", "The number of virtual CPUs is --vcpu-count N"),
  ...each(
    "--network --net",
    "Without a network policy there is no network. --allow-host HOST grants one host, --network-policy egress every public one"
  ),
  ...each(
    "--privileged --cap-add --cap-drop --security-opt",
    "Root of the guest may do everything there, and nothing on the host"
  ),
  ...each("--device --gpus", "A microVM gets no device of the host"),
  "--pull": "pyro builds a missing environment. pyro env pull ENVIRONMENT does so before",
  "--platform": "A microVM is x86-64, as its host",
  "--allow-host-compat":
    "pyro runs a command of a guest in a microVM only, and never on the host. pyro doctor shows what a host lacks"
}

const COMMAND: Hints = {
  "--workdir": "The working directory is --cwd DIR",
  "--env-file": "Give each variable as --env NAME=VALUE",
  "--entrypoint": "The first word of the command is the program"
}

/** For commands on a workspace that exists. */
const SIZE: Hints = each(
  "--mem-mib --memory-mib --vcpu-count --memory --cpus",
  "Memory and CPUs stay as create made them. Another workspace may have more: pyro create --mem-mib MIB --vcpu-count N"
)

const RUN: Hints = {
  ...MACHINE,
  ...COMMAND,
  ...each(
    "-v --volume --mount",
    "A microVM shares no directory with the host. --seed-path DIR copies one to /workspace. pyro cp copies to a workspace and back"
  ),
  ...each(
    "-p -P --publish --publish-all --expose",
    "Ports are those of a workspace: pyro create --name NAME, then pyro service start NAME SERVICE --publish 8080:80 COMMAND"
  ),
  ...each(
    "-d --detach",
    "The microVM ends with its command. A workspace stays: pyro create --name NAME, then pyro exec NAME --detach COMMAND"
  ),
  ...each(
    "--name --hostname",
    "The microVM ends with its command. A workspace has a name and stays: pyro create --name NAME, then pyro exec NAME COMMAND"
  ),
  "--restart":
    "A service starts again: pyro create --name NAME, then pyro service start NAME SERVICE --restart on-failure COMMAND"
}

const CREATE: Hints = {
  ...MACHINE,
  ...each(
    "-v --volume --mount",
    "A microVM shares no directory with the host. --seed-path DIR copies one to /workspace, and pyro cp copies more later, and back"
  ),
  ...each(
    "-p -P --publish --publish-all --expose",
    "A port is published once the workspace is there: pyro port publish NAME 8080:80"
  ),
  ...each("-d --detach", "A workspace stays until it is deleted"),
  ...each("-i -t --tty --interactive", "pyro attach NAME opens a terminal in the workspace once it is there"),
  "--workdir": "The working directory of its commands is --cwd DIR",
  "--env-file": "Give each variable as --env NAME=VALUE",
  ...each("-u --user", "The owner of /workspace and user of commands is --workspace-user USER"),
  "-n": "The name is --name NAME",
  "--rm": "--ttl-seconds SECONDS deletes a workspace without a use for so long",
  "--hostname": "The workspace's name is its host name: --name NAME",
  "--restart": "A service starts again: pyro service start NAME SERVICE --restart on-failure COMMAND"
}

/** Options of docker, of similar tools and of the first pyro, by the operation that refuses them. Each hint has pyro's words for the same. */
const HINTS = table<Readonly<Record<string, string | undefined>>>({
  run: table(RUN),
  "workspace.create": table(CREATE),
  "workspace.exec": table({
    ...COMMAND,
    ...SIZE,
    ...each("-p --publish", "A port is the workspace's: pyro port publish NAME 8080:80"),
    ...each(
      "-v --volume --mount",
      "A microVM shares no directory with the host. pyro cp DIR NAME: copies one, and pyro sync push its later changes"
    ),
    "--privileged": "Root of the guest may do everything there: --user root"
  }),
  "workspace.delete": table(
    each(
      "-f --force -r -R -rf --volumes -v",
      "A workspace is deleted with its disk, running or not, and without a question if it is named"
    )
  ),
  "workspace.reset": table({
    ...SIZE,
    ...each(
      "--hard --soft --mixed --to",
      "A reset discards every change of disk and memory. --snapshot NAME returns to a snapshot, and no option to the state after create"
    ),
    ...each("-y --yes -f --force", "A reset asks no question, and discards all changes: pyro reset NAME")
  }),
  "workspace.cp": table(
    each(
      "-f --force",
      "Out of a workspace, --overwrite replaces files. Into a workspace, they are replaced in any case"
    )
  ),
  "workspace.patch.apply": table(
    each("-f --file -i --input", "The patch is --patch-file FILE, or stdin")
  ),
  "workspace.file.write": table({
    "--content": "The content is --text TEXT, --from FILE, or stdin"
  }),
  "workspace.update": table({ ...SIZE, "-m": SIZE["--memory"] }),
  "workspace.start": table(SIZE),
  "workspace.service.start": table(SIZE),
  "workspace.fork": table({
    ...SIZE,
    "-n": "The name is --name NAME",
    ...each(
      "--from --from-saved --from-snapshot --saved",
      "A workspace starts from a saved snapshot: pyro create --from-snapshot NAME. A fork begins from a snapshot of its own workspace: --snapshot NAME"
    )
  }),
  "workspace.list": table({
    ...each("-a --all", "The list has all workspaces, running or not"),
    ...each("-q", "Ids alone: --id-only"),
    ...each("-f --filter", "Workspaces with a label: --label NAME=VALUE")
  }),
  "workspace.logs": table({
    ...each("-n --tail", "All output of a command, or less of it: pyro logs NAME ID | tail -n 20")
  }),
  "workspace.shell.attach": table({ "--detach-keys": "The key that detaches is --detach-key KEY" }),
  doctor: table({ "--platform": "pyro runs on x86-64 Linux only" }),
  demo: table({
    "--network": "The tour needs no network",
    ...each(
      "--base-url --model -v --verbose",
      "pyro drives no model itself: pyro host connect HOST gives its tools to an agent host, and pyro agent AGENT runs an agent in a workspace"
    )
  })
})

/** `NAME` of a workspace that a hint's commands take, and the one that an option gives. Neither is `--label NAME=VALUE`. */
const TAKEN = /(?<!--[a-z-]+ )\bNAME\b(?!=)/g
const GIVEN = /(?<=--name )NAME\b/g

/** Names that the command line has, for the commands of a hint. */
export interface TypedNames {
  /** The workspace. */
  readonly workspace?: string | undefined
  /** The value of `--name`, or of an option in its place. */
  readonly name?: string | undefined
}

/** The hint for an option that people know from another tool, with the names that were typed. */
export const foreignOption = (
  command: string,
  option: string,
  { name, workspace = name }: TypedNames = {}
): string | undefined =>
  HINTS[command]?.[option]?.replace(TAKEN, () => workspace ?? "NAME").replace(GIVEN, () => name ?? "NAME")
