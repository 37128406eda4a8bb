// Generated from src/contract by: node scripts/docs.mjs

import type { NextStep } from "./error-class.ts"

/** A workspace, as `pyro status` shows it. */
export interface WorkspaceInfo {
  /** Id of the workspace. pyro never reuses an id */
  readonly id: string
  /** Name of the workspace. Absent if it has none */
  readonly name?: string
  /** Labels by key */
  readonly labels: Readonly<Record<string, string>>
  /** Environment that the workspace was created from */
  readonly environment: string
  /** Digest of the environment's image */
  readonly environmentDigest: string
  /**
   * State of the workspace. `failed`: the microVM died, and `start` or `reset` starts a new one; or the record cannot
   * be read, as `detail` says
   */
  readonly state: "creating" | "running" | "starting" | "stopping" | "stopped" | "paused" | "failed" | "resetting" | "deleting"
  /** Reason for the state. Absent if the state needs none */
  readonly detail?: string
  /** Time of creation, ISO 8601 */
  readonly createdAt: string
  /** Time of the last command or write, ISO 8601. Reads do not count */
  readonly lastActivityAt: string
  /** Time at which pyro deletes the workspace, ISO 8601. Absent if it does not expire */
  readonly expiresAt?: string
  /** Seconds without a use until pyro pauses the workspace. Absent if pyro does not */
  readonly pauseAfterSeconds?: number
  /** Number of its microVMs so far. Every start and reset makes a new one */
  readonly generation: number
  /** Number of virtual CPUs */
  readonly vcpuCount: number
  /** Guest memory in MiB */
  readonly memoryMib: number
  /** Size of the disk in MiB */
  readonly diskMib: number
  /**
   * Bytes of the host's disk that the changes of the workspace take, without its seed and snapshots. Absent if the
   * record cannot be read
   */
  readonly diskUsedBytes?: number
  /** Bytes of the host's disk that the memory of a paused workspace takes. Absent for others */
  readonly pausedBytes?: number
  /** Host path that was copied to /workspace. Absent without one */
  readonly seedPath?: string
  /** Git URL that was checked out. Absent without one */
  readonly repoUrl?: string
  /** Branch, tag or commit of the URL. Absent without one */
  readonly repoRef?: string
  /**
   * Owner of /workspace and default user of commands. Absent if the record cannot be read, or if both are the user of
   * an image
   */
  readonly workspaceUser?: "root" | "agent"
  /** Environment variables of its commands, shells and services. Absent if there are none */
  readonly env?: Readonly<Record<string, string>>
  /** Working directory of its commands, shells and services, if not /workspace. Absent otherwise */
  readonly cwd?: string
  /**
   * Project of the workspace: a directory of the host, or a repository's URL. `mcp serve` reaches its own project's
   * workspaces only
   */
  readonly project?: string
  /** Id of the workspace that was forked, which may be deleted. Absent if this is no fork */
  readonly forkedFrom?: string
  /** Names of its secrets, without values. Absent if the record cannot be read */
  readonly secrets?: ReadonlyArray<string>
  /**
   * Hosts that get a secret in place of its placeholder: NAME@HOST[:PORT][:HEADER]. Absent if the record cannot be read
   */
  readonly secretHttp?: ReadonlyArray<string>
  /**
   * Names of its secrets whose values commands can have. Commands have placeholders of the others. Absent if the record
   * cannot be read
   */
  readonly secretCommands?: ReadonlyArray<string>
  /** Program that runs its microVMs. Absent if the record cannot be read */
  readonly driver?: "qemu" | "firecracker"
  /** Network of the guest, or the network that the next start brings back. Absent if the record cannot be read */
  readonly network?: {
    /** `off`, `egress` or `egress+published-ports` */
    readonly networkPolicy: "off" | "egress" | "egress+published-ports"
    /** Hosts that the guest may connect to. Empty, as allow_ips: every public host */
    readonly allowHosts: ReadonlyArray<string>
    /** Hosts that the guest may not connect to */
    readonly denyHosts: ReadonlyArray<string>
    /** Addresses that the guest may connect to */
    readonly allowIps: ReadonlyArray<string>
    /** Hosts to each of which one more connection is allowed, within ten minutes. Absent if there are none */
    readonly allowOnce?: ReadonlyArray<string>
    /** `true`: the guest trusts the authorities of this host, too */
    readonly trustHostCertificates?: boolean
    /** Connections that are open now */
    readonly open: number
    /** Connections that were made since create or the last reset */
    readonly allowed: number
    /** Connections and look-ups that the policy denied since then */
    readonly denied: number
    /** Allowed connections that could not be made since then */
    readonly failed: number
    /** Bytes that left the guest since then */
    readonly bytesOut: number
    /** Bytes that the guest received since then */
    readonly bytesIn: number
  }
  /** Published ports. Absent if the record cannot be read */
  readonly ports?: ReadonlyArray<PublishedPort>
  /** Number of running commands. Those of a paused workspace stand still */
  readonly runningCommands: number
  /** Number of services by their state. Absent if the record cannot be read */
  readonly services?: Readonly<Record<string, number>>
  /** The newest 10 running commands. Absent if the record cannot be read */
  readonly running?: ReadonlyArray<{
    /** Id of the command */
    readonly execId: string
    /** Process id of the command in the guest. Absent if the guest has not started it yet */
    readonly pid?: number
    /** Its words, cut if they are long */
    readonly command: string
  }>
  /** Number of open shells. Absent if the record cannot be read */
  readonly shells?: number
  /** Number of open SSH connections. Absent if there are none */
  readonly sshConnections?: number
  /** Exports that wait for the user, who answers with `answer`. Absent if there are none */
  readonly pendingExports?: ReadonlyArray<{
    /** Id of the request, for `answer` */
    readonly request: string
    /** When it began to wait, in ISO 8601 */
    readonly since: string
    /** Kind of the export. `changes` are those of the diff, in the files of a directory */
    readonly kind: "file" | "directory" | "archive" | "patch" | "changes"
    /** Path on the host */
    readonly output: string
    /** Number of files. A patch is one */
    readonly files: number
    /** Number of changed files in the diff. Absent for files */
    readonly changedFiles?: number
    /** Size of all files in bytes */
    readonly bytes: number
    /** SHA-256 of the diff as a patch, which `workspace diff --json` shows for the same changes. Absent for files */
    readonly digest?: string
    /** True if the export replaces files that exist. Absent for others */
    readonly overwrite?: boolean
    /**
     * Name and version of the MCP client that asks, in its own words. Absent if a person asks, or a client without a
     * name
     */
    readonly client?: string
  }>
  /** Logins with a lent SSH agent that wait for the user, who answers with `answer`. Absent if there are none */
  readonly pendingLogins?: ReadonlyArray<{
    /** Id of the request, for `answer` */
    readonly request: string
    /** When it began to wait, in ISO 8601 */
    readonly since: string
    /** Host that a program of the guest logs in to */
    readonly host: string
    /** User on that host. The guest chose the name */
    readonly user: string
    /** Fingerprint of your key, as OpenSSH shows it */
    readonly fingerprint: string
  }>
  /** The SSH agent that a person lends to the workspace. Absent if there is none */
  readonly sshAgent?: {
    /** Hosts that the guest may log in to */
    readonly hosts: ReadonlyArray<string>
    /** Whether the person is asked before each login */
    readonly ask: boolean
    /**
     * Socket of the agent on the host, which the workspace has while it exists. Absent if `ssh-agent` lends the agent
     * until its end
     */
    readonly socket?: string
    /** Reason why no login works now. Absent if there is none */
    readonly detail?: string
  }
}

/** A command of a workspace. */
export interface CommandInfo {
  /** Id of the command */
  readonly execId: string
  /** Process id of the command in the guest. Absent unless the command runs */
  readonly pid?: number
  /** Program and arguments */
  readonly command: ReadonlyArray<string>
  /** Start of the command, ISO 8601 */
  readonly startedAt: string
  /** How the command ended, or `running`. `lost`: the microVM ended before the command's end was known */
  readonly outcome: "exited" | "signaled" | "timed_out" | "out_of_memory" | "running" | "lost"
  /** Exit status. Absent while the command runs */
  readonly status?: number
  readonly durationMs?: number
  /** Total bytes of its output */
  readonly outputBytes: number
  /** Bytes of the output that the log no longer has. Absent if the log is complete */
  readonly droppedBytes?: number
  /** Name and version of the MCP client that started the command, in its own words. Absent for people and programs */
  readonly client?: string
  /** True if the command was started before the fork or the snapshot that this workspace comes from */
  readonly inherited?: true
}

/** What a caller should know of a call that succeeded. */
export interface Warning {
  /** What happened, one sentence. It names no command and no option */
  readonly message: string
  /** What to do next, the best first. Absent if nothing helps */
  readonly next?: ReadonlyArray<NextStep>
}

/** A listing of a directory. */
export interface FileList {
  /** Path relative to /workspace, absolute outside of it */
  readonly path: string
  /** Entries in the order of their paths' bytes */
  readonly entries: ReadonlyArray<FileEntry>
  /** Whether there are more entries than the limit */
  readonly truncated: boolean
  /** Total number of entries. Absent if there are too many to count */
  readonly total?: number
}

/** A file in a listing. */
export interface FileEntry {
  /** Path relative to /workspace, absolute outside of it */
  readonly path: string
  /** Type of the entry */
  readonly type: "file" | "directory" | "symlink" | "character" | "block" | "fifo" | "socket"
  /** Size of the file in bytes */
  readonly sizeBytes: number
  /** Permission bits in octal, such as 0644 */
  readonly mode: string
  /** Time of the last change, ISO 8601. Absent if the time has no calendar date */
  readonly modifiedAt?: string
  /** Target of a symbolic link. Absent for others */
  readonly target?: string
}

/** A file that was written. */
export interface FileWritten {
  /** Path relative to /workspace, absolute outside of it */
  readonly path: string
  /** Whether the file is new */
  readonly created: boolean
  /** Size of the file in bytes */
  readonly sizeBytes: number
  /** Permission bits in octal, such as 0644 */
  readonly mode: string
  /** Version of the file's content, for `expected_version` of a later write or edit */
  readonly version: string
}

/** A file whose text was replaced. */
export interface FileEdited {
  /** Path relative to /workspace, absolute outside of it */
  readonly path: string
  /** Number of replaced occurrences */
  readonly replaced: number
  /** Numbers of the first 100 lines of the new file at which replacements begin */
  readonly lines: ReadonlyArray<number>
  /** `crlf`, `lf`: the file's lines end so, and so do those of the new text, which had the other. `kept`: unchanged */
  readonly lineEndings: "kept" | "crlf" | "lf"
  /** Size of the file in bytes */
  readonly sizeBytes: number
  /** Permission bits in octal, such as 0644 */
  readonly mode: string
  /** Version of the file's content, for `expected_version` of a later write or edit */
  readonly version: string
}

/** A copy of a file or a directory. */
export interface FileCopied {
  /** Path relative to /workspace, absolute outside of it */
  readonly path: string
  /** Number of files, directories and links that were made */
  readonly entries: number
  /** Bytes of content */
  readonly bytes: number
  /** Number of entries that were left out */
  readonly skipped: number
}

/** A change that a watch tells. */
export interface FileChange {
  /** What happened. `created` is also a file that was moved here from elsewhere, or over another one */
  readonly change: "created" | "modified" | "removed" | "renamed"
  /** Path relative to /workspace, absolute outside of it */
  readonly path: string
  /** Old path of a renamed file or directory. Absent for others */
  readonly from?: string
  /** Whether it is a directory */
  readonly directory: boolean
}

/** A shell of a workspace. */
export interface ShellInfo {
  /** Id of the shell */
  readonly shellId: string
  /** Program and arguments. Empty for the login shell */
  readonly command: ReadonlyArray<string>
  /** Time of the opening, ISO 8601 */
  readonly startedAt: string
  /** How the program of the shell ended, or `running`. `lost`: the microVM ended first */
  readonly outcome: "exited" | "signaled" | "timed_out" | "out_of_memory" | "running" | "lost"
  /** Exit status. Absent while the program runs */
  readonly status?: number
  /** Width of the terminal in columns */
  readonly cols: number
  /** Height of the terminal in rows */
  readonly rows: number
  /** Total bytes of its output: the cursor of its end */
  readonly outputBytes: number
  /** True if the shell was opened before the fork or the snapshot that this workspace comes from */
  readonly inherited?: true
}

/** The output of a shell. */
export interface ShellScreen {
  /** Id of the shell */
  readonly shellId: string
  /** How the program of the shell ended, or `running`. `lost`: the microVM ended first */
  readonly outcome: "exited" | "signaled" | "timed_out" | "out_of_memory" | "running" | "lost"
  /** Exit status. Absent while the program runs */
  readonly status?: number
  /** Output from the cursor on. With `plain`, the lines that a person sees */
  readonly output: string
  /** Cursor after this output, for the next call */
  readonly nextCursor: number
  /** Whether output is left out: with `plain` the earlier lines, else the rest */
  readonly truncated: boolean
  /** True if a full-screen program runs: `output` is then the whole screen. Only with `plain` */
  readonly alternate?: true
  /** Reason for the end of the wait. `ended`: the program has ended. Absent without a wait */
  readonly waited?: "found" | "idle" | "ended" | "timed_out"
  /** Bytes between the cursor and this output that were dropped. Absent if there are none */
  readonly skippedBytes?: number
  /** Whether bytes that are not UTF-8 were replaced by U+FFFD. Absent with `plain` */
  readonly lossy?: boolean
}

/** A service of a workspace. */
export interface ServiceInfo {
  /** Name of the service */
  readonly name: string
  /**
   * `starting`: not ready yet, or about to start again. `ready`: its check succeeded. `running`: it has no check.
   * `paused`: it stands still in the memory of its paused workspace. `exited`: it ended with status 0. `failed`: it
   * ended otherwise, was not ready in time, or lost its microVM. `stopped`: by `service stop` or `workspace stop`
   */
  readonly state: "starting" | "ready" | "running" | "paused" | "exited" | "failed" | "stopped"
  /** Reason for the state. Absent if the state needs none */
  readonly detail?: string
  /** Program and arguments */
  readonly command: ReadonlyArray<string>
  /** Its check, such as `tcp 8080`. Absent without one */
  readonly readyCheck?: string
  /** Start of its present or last run, ISO 8601 */
  readonly startedAt: string
  /** Its published ports */
  readonly ports: ReadonlyArray<{
    /** TCP port of the guest's loopback */
    readonly guestPort: number
    /** Port of 127.0.0.1 on the host. Absent while the workspace does not run */
    readonly hostPort?: number
  }>
  readonly readyMs?: number
  readonly uptimeMs: number
  /** Number of restarts since `service start` */
  readonly restarts: number
  readonly restartInMs?: number
  /** Exit status of its last run, 128 + n after signal n. Absent while it runs */
  readonly status?: number
  /** Cursor of the end of its log */
  readonly outputBytes: number
}

/** A part of a service's log. */
export interface ServiceLog {
  /**
   * `starting`: not ready yet, or about to start again. `ready`: its check succeeded. `running`: it has no check.
   * `paused`: it stands still in the memory of its paused workspace. `exited`: it ended with status 0. `failed`: it
   * ended otherwise, was not ready in time, or lost its microVM. `stopped`: by `service stop` or `workspace stop`
   */
  readonly state: "starting" | "ready" | "running" | "paused" | "exited" | "failed" | "stopped"
  /** Reason for the state. Absent if the state needs none */
  readonly detail?: string
  /** Exit status of its last run, 128 + n after signal n. Absent while it runs */
  readonly status?: number
  /** stdout and stderr in the order of arrival */
  readonly output: string
  /** Cursor of the next call */
  readonly nextCursor: number
  /** Whether there is more output now */
  readonly hasMore: boolean
  /** Bytes between the cursor and this output that were dropped. Absent if there are none */
  readonly skippedBytes?: number
  /** Whether bytes that are not UTF-8 were replaced by U+FFFD */
  readonly lossy: boolean
}

/** A port of the guest that the host publishes. */
export interface PublishedPort {
  /** TCP port of the guest's loopback */
  readonly guestPort: number
  /** Port of 127.0.0.1 on the host. Absent while the workspace does not run */
  readonly hostPort?: number
  /** Service that the port belongs to. Absent without one */
  readonly service?: string
}

/** A snapshot of a workspace. */
export interface SnapshotInfo {
  /** Name of the snapshot */
  readonly name: string
  /** `memory`: memory and disk of a running workspace. `disk`: files of a workspace that was not running */
  readonly kind: "memory" | "disk"
  /** Time of creation, ISO 8601 */
  readonly createdAt: string
  /** Whether the snapshot survives a power cut. True some seconds after its creation */
  readonly durable: boolean
  /** Bytes of the host's disk that its memory takes */
  readonly memoryBytes: number
  /** Number of disk layers, which it shares with the workspace */
  readonly layers: number
  /** Whether the workspace had secrets: the memory or the files may have the values */
  readonly holdsSecrets: boolean
  /** Number of commands that run in it */
  readonly runningCommands: number
  readonly pauseMs?: number
}

/** Commands of a workspace, and where a rewind can return to. */
export interface History {
  /** Commands since create or the last reset, oldest first */
  readonly commands: ReadonlyArray<{
    /** Id of the command, or of the operation on files */
    readonly execId: string
    /** Its words, cut if they are long */
    readonly command: string
    /** Start of the command, ISO 8601 */
    readonly startedAt: string
    /** How the command ended, or `running`. `lost`: the microVM ended first */
    readonly outcome: "exited" | "signaled" | "timed_out" | "out_of_memory" | "running" | "lost"
    /** Exit status. Absent while the command runs */
    readonly status?: number
    readonly durationMs?: number
    /**
     * True if the command is known to have changed nothing of the workspace's disk: a rewind does not count it as a
     * step. Absent otherwise
     */
    readonly changedNothing?: boolean
    /** Whether a rewind has undone the command */
    readonly undone: boolean
    /**
     * The point that a rewind to before the command returns to. Absent if it is gone, was never made, or the command is
     * undone
     */
    readonly point?: string
    /**
     * True if no point is before the command, and a reset without a snapshot returns there: no earlier command led to
     * the present state. Absent otherwise
     */
    readonly byReset?: boolean
    /**
     * Number of earlier commands that this rewind undoes too, because no point lies between, without those that changed
     * nothing. Absent without `point`
     */
    readonly alsoUndone?: number
    /**
     * Bytes written to the disk between the points around the command. Absent if a point is missing, or another command
     * lies between them
     */
    readonly writtenBytes?: number
  }>
  /** Points, oldest first */
  readonly points: ReadonlyArray<{
    /** Id of the point */
    readonly id: string
    /** Time of the point, ISO 8601 */
    readonly createdAt: string
    /** Number of commands that had started before it */
    readonly commands: number
    /** Ids of the commands that ran at that time */
    readonly running: ReadonlyArray<string>
    /**
     * Whether it has the memory of the microVM, so that processes, shells and services of that time go on. False: the
     * disk alone
     */
    readonly memory: boolean
    /** Whether the present state comes from it. False after a rewind, for the points that the rewind left */
    readonly current: boolean
    /**
     * User of the guest whose SSH session began after the point, before any other point or command. Absent without one
     */
    readonly beforeSsh?: string
  }>
}

/** What a rewind undid, and what it did not. */
export interface RewindResult {
  /** The workspace */
  readonly workspace: WorkspaceInfo
  /** The point that it returned to */
  readonly point: string
  /** The point of the state before the rewind: a rewind to it undoes the rewind */
  readonly redo: string
  /** Commands that were undone, oldest first */
  readonly undone: ReadonlyArray<{
    /** Id of the command, or of the operation on files */
    readonly execId: string
    /** Its words, cut if they are long */
    readonly command: string
    /** Start of the command, ISO 8601 */
    readonly startedAt: string
    /** How the command ended, or `running`. `lost`: the microVM ended first */
    readonly outcome: "exited" | "signaled" | "timed_out" | "out_of_memory" | "running" | "lost"
    /** Exit status. Absent while the command runs */
    readonly status?: number
    readonly durationMs?: number
    /** True if the command had changed nothing of the workspace's disk: it is no step. Absent otherwise */
    readonly changedNothing?: boolean
  }>
  /**
   * What is undone beside these commands: what services, shells, SSH connections and earlier commands wrote since the
   * workspace was as the point has it. A sentence each
   */
  readonly writesUndone: ReadonlyArray<string>
  /** Commands, shells and services that ran, and ended with the old microVM. Without services that start again */
  readonly ended: ReadonlyArray<{
    /** What it was */
    readonly kind: "command" | "shell" | "service"
    /** Id of the command or the shell; name of the service */
    readonly id: string
    /** Its words, cut if they are long */
    readonly command: string
  }>
  /** Whether the memory of the point came back, with its processes. False: the disk alone, in a new microVM */
  readonly memory: boolean
  /**
   * What goes on in that memory: `service NAME`, `shell ID`, `command ID`. Background processes that a command left go
   * on too
   */
  readonly stillRunning: ReadonlyArray<string>
  /** Services that start again */
  readonly restarted: ReadonlyArray<string>
  /**
   * What crossed the host since the point, and stays: exports, network connections and policies, published ports. A
   * sentence each
   */
  readonly keptEffects: ReadonlyArray<string>
  /** Warnings. Empty if there are none */
  readonly warnings: ReadonlyArray<Warning>
}

/** A saved snapshot, which outlives its workspace. */
export interface SavedInfo {
  /** Name of the saved snapshot */
  readonly name: string
  /** `memory`: memory and disk of a running workspace. `disk`: files alone */
  readonly kind: "memory" | "disk"
  /** Time of creation, ISO 8601 */
  readonly createdAt: string
  /** Whether the saved snapshot survives a power cut. True some seconds after its creation */
  readonly durable: boolean
  /** Name or id of the workspace that it was saved from. Absent for an imported one */
  readonly from?: string
  /** Environment of the workspace */
  readonly environment: string
  /** Program that runs its microVMs */
  readonly driver: "qemu" | "firecracker"
  /** Number of virtual CPUs */
  readonly vcpuCount: number
  /** Guest memory in MiB */
  readonly memoryMib: number
  /** Size of the disk in MiB */
  readonly diskMib: number
  /** Bytes of the host's disk that its memory takes */
  readonly memoryBytes: number
  /** Bytes of the host's disk that its files take. Workspaces may share them */
  readonly diskBytes: number
  /** Whether the workspace had secrets: the memory or the files may have the values */
  readonly holdsSecrets: boolean
  /** Number of commands that run in it */
  readonly runningCommands: number
}

/** A saved snapshot, and whether its memory continues here. */
export interface SavedDetail extends SavedInfo {
  /** Why its memory cannot continue on this host, one sentence each. Empty if it can, and for `disk` */
  readonly differences: ReadonlyArray<string>
}

/** A saved snapshot in a file. */
export interface SavedExported {
  /** Name of the saved snapshot */
  readonly name: string
  /** File that was written on the host */
  readonly output: string
  /** `memory`: memory and disk. `disk`: files alone */
  readonly kind: "memory" | "disk"
  /** Size of the file in bytes */
  readonly bytes: number
  /** SHA-256 that the file has of its content, for `expect` of an import */
  readonly sha256: string
  /** Whether an existing file was replaced */
  readonly replaced: boolean
}

/** An environment. */
export interface EnvironmentInfo {
  /** Name of the environment */
  readonly name: string
  /** Contents, one line */
  readonly description: string
  /** `ready`: on this host. `absent`: built when first used. `outdated`: built from an older recipe */
  readonly state: "ready" | "absent" | "outdated"
  /** For `outdated`: steps that make the image again. The old image still works */
  readonly next?: ReadonlyArray<NextStep>
  /** Digest of the image's inputs; the same inputs have the same digest. Absent if not built */
  readonly digest?: string
  /** Size of the image file in bytes. Absent if not built */
  readonly sizeBytes?: number
  /** `catalogue`: defined by pyro. `own`: made by `pyro env build`. `image`: an image of a registry */
  readonly origin: "catalogue" | "own" | "image"
  /** For `image`: digest of the image's manifest */
  readonly imageDigest?: string
  /** For `own`: environment that it extends */
  readonly from?: string
  /** For `own`: id of the workspace whose root became the image */
  readonly fromWorkspace?: string
  /** For `own`: packages that were added */
  readonly addedPackages?: ReadonlyArray<string>
  /** For `own`: npm packages that were added, with versions. Absent without one */
  readonly addedNpmPackages?: ReadonlyArray<string>
  /** Time of the build on this host, ISO 8601. Absent if not built */
  readonly builtAt?: string
}

/** The changes of a workspace. */
export interface DiffResult {
  /** Counts of the changes */
  readonly summary: {
    /** Number of changed files */
    readonly files: number
    /** Number of added files */
    readonly added: number
    /** Number of modified files */
    readonly modified: number
    /** Number of deleted files */
    readonly deleted: number
    /** Number of renamed files */
    readonly renamed: number
    /** Number of files whose type changed */
    readonly typeChanged: number
    /** Total lines added. Absent with `name_only` */
    readonly additions?: number
    /** Total lines removed. Absent with `name_only` */
    readonly deletions?: number
  }
  /** Changed files by path, at most 20000 */
  readonly files: ReadonlyArray<{
    /** Path after the change, relative to /workspace. A path that is no plain text is in git's quoted form */
    readonly path: string
    /** Path before the change. Absent if the file was not renamed */
    readonly from?: string
    /**
     * Kind of change. `type_changed`: a file became a symbolic link, or the reverse. `mounted`: the guest mounted
     * something over the path, and the changes beneath are unknown
     */
    readonly status: "added" | "modified" | "deleted" | "renamed" | "type_changed" | "mounted"
    /** Git mode before the change. Absent for an added file */
    readonly oldMode?: "100644" | "100755" | "120000"
    /** Git mode after the change. Absent for a deleted file */
    readonly newMode?: "100644" | "100755" | "120000"
    /** Whether the file is not text. Absent with `name_only` */
    readonly binary?: boolean
    /** Lines added. Absent with `name_only` */
    readonly additions?: number
    /** Lines removed. Absent with `name_only` */
    readonly deletions?: number
    /** Size of the file in bytes; of a deleted file, before the change */
    readonly size: number
    /**
     * True if the file is not in the patch, because it has more than 64 MiB, or all files together have more than 128
     * MiB
     */
    readonly tooLarge?: boolean
  }>
  /** Number of changed files that `files` leaves out */
  readonly unlisted: number
  /** Number of new files that ignore rules exclude: rules of the seed, and of ignore files made in the guest */
  readonly ignoredCount: number
  /**
   * Patterns of pyro's default list that excluded some of these files, such as `node_modules/`: the seed has neither an
   * ignore file nor a repository above them. `.pnpm-store/` counts in each workspace. Absent if none did
   */
  readonly defaultRules?: ReadonlyArray<string>
  /**
   * Number of repositories, work trees and submodules that commands made in /workspace. Their new files are left out
   * unless `paths` names one, or with `include_ignored`. Absent if there are none
   */
  readonly nestedCount?: number
  /** The first 20 of these directories. Absent if there are none */
  readonly nested?: ReadonlyArray<string>
  /** Number of `too_large` files. The patch is then incomplete and has no digest. Absent if there are none */
  readonly tooLargeCount?: number
  /** Number of `mounted` paths. The diff is then incomplete and has no digest. Absent if there are none */
  readonly mountedCount?: number
  /**
   * Number of changed files that git converts by the attributes `ident`, `working-tree-encoding` or `filter`: `git
   * apply` may refuse their patch. Absent if there are none, and without a patch
   */
  readonly convertedCount?: number
  /** The first 20 of these files */
  readonly converted?: ReadonlyArray<string>
  /** Number of new sockets, FIFOs and devices. A patch cannot contain them */
  readonly specialCount: number
  /** Paths of the request that neither side has. Absent if there are none */
  readonly missingPaths?: ReadonlyArray<string>
  /** Whether the content of all files was compared */
  readonly verified: boolean
  /** Patch in git's form, or its beginning. Absent with `stat` or `name_only` */
  readonly patch?: string
  /** Size of the whole patch in bytes */
  readonly patchBytes?: number
  /** Whether the patch is longer than `max_bytes` and its end is left out */
  readonly truncated?: boolean
  /** Whether bytes of the patch that are not UTF-8 were replaced by U+FFFD */
  readonly lossy?: boolean
  /**
   * SHA-256 of the whole patch, to export exactly this diff. Absent with `name_only`, if a file is too large, or if a
   * path is mounted
   */
  readonly digest?: string
}

/** The changes of a patch. */
export interface PatchApplied {
  /** Whether the patch was applied. False with `check` */
  readonly applied: boolean
  /** Number of changed files and links */
  readonly filesChanged: number
  /** The first 1000 of these files */
  readonly files: ReadonlyArray<{
    /** Path relative to /workspace. A path that is not UTF-8 is in git's quoted form */
    readonly path: string
    /** Kind of change */
    readonly change: "added" | "modified" | "deleted" | "renamed"
    /** Path before the change, if the file was renamed. A path that is not UTF-8 is in git's quoted form */
    readonly from?: string
    /**
     * How all lines of the file end, if the patch has the other line ends. The file keeps its own, and a new file has
     * those of its attribute `eol`
     */
    readonly lineEndings?: "crlf" | "lf"
  }>
  /** The first 100 hunks that fit at another line, or without regard to white space */
  readonly notes: ReadonlyArray<{
    /** File of the hunk. A path that is not UTF-8 is in git's quoted form */
    readonly path: string
    /** Number of the hunk in the file, from 1 */
    readonly hunk: number
    /** Lines between the stated and the real position; negative is upwards */
    readonly offsetLines: number
    /** True if the hunk fits only without regard to white space */
    readonly loose: boolean
  }>
}

/** Files that were copied to the host. */
export interface ExportResult {
  /** Workspace, as the request names it */
  readonly workspace: string
  /** Path that was written on the host, or - */
  readonly output: string
  /** Kind of the export. `changes` are those of the diff, in the files of a directory */
  readonly kind: "file" | "directory" | "archive" | "patch" | "changes"
  /** Number of written files. A patch is one */
  readonly files: number
  /** Number of changed files in the diff. Absent for files */
  readonly changedFiles?: number
  /** Number of removed files. Absent without `apply` */
  readonly removedFiles?: number
  /** Number of files that were there already as the diff has them. Absent without `apply` */
  readonly equalFiles?: number
  /**
   * True if the baseline has these changes now, so that the next diff begins after them. Absent for others than `apply`
   */
  readonly baselineMoved?: boolean
  /** True with `check`: nothing was written. Absent for others */
  readonly checked?: boolean
  /** Number of directories */
  readonly directories: number
  /** Number of links */
  readonly symlinks: number
  /** Size of all files in bytes */
  readonly bytes: number
  /** SHA-256 of the diff as a patch. Absent for files */
  readonly digest?: string
  /** Number of paths that `exclude` left out. Absent without `exclude` */
  readonly excludedCount?: number
  /** Number of paths that were left out. A directory counts as one */
  readonly skippedCount: number
  /** The first 1000 of these paths */
  readonly skipped: ReadonlyArray<{
    /** The path */
    readonly path: string
    /** Reason, one sentence */
    readonly reason: string
  }>
  /** The first 1000 paths that tools of the host execute automatically. Empty without `allow_executable_config` */
  readonly executableConfig: ReadonlyArray<{
    /** The path */
    readonly path: string
    /** Reason, one sentence */
    readonly reason: string
  }>
  /** Warnings. Empty if there are none */
  readonly warnings: ReadonlyArray<Warning>
  /** Facts, such as what is left out. Absent if none */
  readonly notes?: ReadonlyArray<Warning>
  /** Entries that were written, in order */
  readonly entries: ReadonlyArray<{
    /**
     * Path relative to the output; empty for the output itself. A path that is no plain text is in git's quoted form
     */
    readonly path: string
    /** Type of the entry */
    readonly type: "file" | "directory" | "symlink"
    /** Permission bits in octal, such as 0644 */
    readonly mode: string
    /** Size of a file in bytes; 0 for others */
    readonly size: number
    /** SHA-256 of a file's content. Absent for others */
    readonly sha256?: string
    /** Target of a link. Absent for others */
    readonly target?: string
    /** True if an existing file was replaced */
    readonly replaced?: boolean
    /** True if the file was removed. Absent for others */
    readonly removed?: boolean
    /** Reason why tools of the host execute this automatically. Absent for others */
    readonly executableConfig?: string
  }>
}

/** Files that were copied to the guest. */
export interface ImportResult {
  /** Path of the copy in the guest. A path that is not UTF-8 is in git's quoted form */
  readonly path: string
  /** Kind of the copy */
  readonly kind: "file" | "directory"
  /** Number of files that were written */
  readonly files: number
  /** Number of links that were made */
  readonly symlinks: number
  /** Bytes that were written */
  readonly bytes: number
  /** Number of paths that were not copied */
  readonly skippedCount: number
  /** The first 1000 of these paths */
  readonly skipped: ReadonlyArray<{
    /** Path relative to the source. A path that is not UTF-8 is in git's quoted form */
    readonly path: string
    /** Reason, one sentence */
    readonly reason: string
  }>
  /** Warnings. Absent if there are none */
  readonly warnings?: ReadonlyArray<Warning>
}

/** Changes of the host that were copied to the guest. */
export interface PushResult {
  /** Number of files and links that were written or removed */
  readonly filesPushed: number
  /** Number of files and links that were written */
  readonly writtenCount: number
  /** Number of files and links that were removed */
  readonly removedCount: number
  /**
   * Number of files and links that had changed on the host and were equal in the workspace. Diffs count them as pushed
   */
  readonly equalCount: number
  /** Bytes that were written */
  readonly bytes: number
  /** The first 1000 of these files */
  readonly files: ReadonlyArray<{
    /** Path relative to /workspace. A path that is not UTF-8 is in git's quoted form */
    readonly path: string
    /** Kind of change */
    readonly change: "added" | "modified" | "deleted"
  }>
  /** Number of files that were not pushed, because they were changed in the workspace */
  readonly conflictCount: number
  /** The first 1000 of these files */
  readonly conflicts: ReadonlyArray<{
    /** Path relative to /workspace. A path that is not UTF-8 is in git's quoted form */
    readonly path: string
    /** Reason, one sentence */
    readonly reason: string
  }>
  /** Number of paths of the host that could not be copied */
  readonly skippedCount: number
  /** The first 1000 of these paths */
  readonly skipped: ReadonlyArray<{
    /** Path relative to /workspace. A path that is not UTF-8 is in git's quoted form */
    readonly path: string
    /** Reason, one sentence */
    readonly reason: string
  }>
  /** Number of files and links that are gone on the host and stay in the workspace. `delete` removes them */
  readonly missingOnHostCount: number
  /** The first 20 of these paths */
  readonly missingOnHost: ReadonlyArray<string>
  /** Number of ignored files and directories that were not copied. A directory counts as one */
  readonly ignoredCount: number
  /** The first 20 of these paths */
  readonly ignored: ReadonlyArray<string>
  /** Warnings. Empty if there are none */
  readonly warnings: ReadonlyArray<Warning>
}

/** What became of a candidate. */
export interface CandidateResult {
  /** Name of the candidate */
  readonly name: string
  /**
   * `passed`: candidate and check ended with status 0. `failed`: one of them ended in another way. `timed_out`: one of
   * them ran longer than the timeout. `patch_refused`: the patch does not fit. `error`: pyro could not try it.
   * `stopped` and `not_started`: another one passed first
   */
  readonly outcome: "passed" | "failed" | "timed_out" | "patch_refused" | "error" | "stopped" | "not_started"
  /** The step that decided. Absent if neither ran */
  readonly step?: "candidate" | "check"
  /** Exit status of that step's command. Absent without one */
  readonly status?: number
  readonly durationMs: number
  /** Last lines of the output of that step, at most 4096 bytes */
  readonly tail: string
  /** Whether the output has more than `tail` */
  readonly truncated: boolean
  /** Why it did not pass, as one sentence. Absent if a command's end says it */
  readonly reason?: string
  /** Tests in the output of the check; of the candidate's command if there is no check. Absent for an unknown format */
  readonly tests?: {
    /** Format of the report */
    readonly format: "tap" | "junit" | "vitest" | "pytest" | "unittest" | "cargo" | "go"
    /** Number of tests that passed */
    readonly passed: number
    /** Number of tests that failed, or could not run */
    readonly failed: number
    /** Number of tests that were left out */
    readonly skipped: number
  }
  /** Changes of /workspace. Absent if they are unknown */
  readonly diff?: {
    /** Number of changed files since the workspace's create */
    readonly files: number
    /** Total lines added */
    readonly additions: number
    /** Total lines removed */
    readonly deletions: number
  }
  /** Memory of the candidate's microVM alone after the check */
  readonly memoryBytes?: number
}

/** What became of all candidates. */
export interface TryResult {
  /** What became of each candidate, in the order of the request */
  readonly candidates: ReadonlyArray<CandidateResult>
  /**
   * The best candidate: one that passed, then the one with most tests passed and fewest failed, then the one with the
   * smallest diff, then the first. Absent if none ran to its end
   */
  readonly best?: string
  /**
   * The measure that decided for the best candidate, and the values of it and of the next best. Absent without `best`
   */
  readonly bestReason?: string
  /** The candidate that became the workspace. Absent if none did */
  readonly kept?: string
  /**
   * Candidates whose files stay after the try: `workspace.keep` makes one of them the workspace. Absent if none stay
   */
  readonly keepable?: ReadonlyArray<string>
  /** Time until which they stay, ISO 8601. The next try of the workspace and a reset remove them earlier */
  readonly keepableUntil?: string
  /**
   * The point of the workspace before the keep: a rewind to it undoes the keep. Absent if none was kept, or the
   * workspace has no points
   */
  readonly undo?: string
  /** The workspace */
  readonly workspace: WorkspaceInfo
  /** Warnings. Empty if there are none */
  readonly warnings: ReadonlyArray<Warning>
}

/** A candidate that became the workspace. */
export interface KeepResult {
  /** The candidate that became the workspace */
  readonly kept: string
  /**
   * The point of the workspace before the keep: a rewind to it undoes the keep. Absent if the workspace has no points
   */
  readonly undo?: string
  /** The workspace */
  readonly workspace: WorkspaceInfo
  /** Warnings. Empty if there are none */
  readonly warnings: ReadonlyArray<Warning>
}

/** A new network policy, and what it ends. */
export interface NetworkChanged {
  /** The workspace with its new policy */
  readonly workspace: WorkspaceInfo
  /** Number of open connections that the new policy forbids and pyro reset */
  readonly resetCount: number
  /**
   * Grants of the policy before that the new policy does not have: lists, hosts and addresses as they were given,
   * `every public host`, `ports of a model`, `trust in this host's certificates`. Of a list that stays in part, the
   * hosts that are gone
   */
  readonly revokedGrants: ReadonlyArray<string>
  /** Denied hosts of the policy before that the new policy allows */
  readonly liftedDenials: ReadonlyArray<string>
}

/** Connections of a workspace. */
export interface NetworkLog {
  /** Connections that are over, denials and failures, in the order of their end */
  readonly entries: ReadonlyArray<{
    /** Number of the entry in the workspace's log, from 1 on */
    readonly number: number
    /** Time of the guest's request, ISO 8601 */
    readonly at: string
    /**
     * `connection`: TCP. `datagrams`: UDP between one port of the guest and one address, which ends two minutes after
     * the last datagram. `lookup`: the guest asked for the addresses or records of a name. `flood`: the guest asked for
     * more than pyro judges at a time; one entry a minute
     */
    readonly kind: "connection" | "datagrams" | "lookup" | "flood"
    /** `allowed`: made, and over. `denied`: refused by the policy. `failed`: allowed, and could not be made */
    readonly outcome: "allowed" | "denied" | "failed"
    /** Name that the guest asked for, or the address if it named none. `*` for a flood */
    readonly host: string
    /** Port of the connection. Absent for a look-up */
    readonly port?: number
    /** Address that the host connected to. Absent if the host connected to none */
    readonly address?: string
    /** Reason for the denial, the failure or the early end. Absent otherwise */
    readonly reason?: string
    /** Change of the policy that would allow the request. Absent unless one would */
    readonly remedy?: {
      /** Argument of `workspace network set`. `deny_hosts`: its rule has to go */
      readonly field: "allow_hosts" | "allow_ips" | "deny_hosts" | "trust_host_certificates"
      /** Rule of the list. Absent for `trust_host_certificates` */
      readonly rule?: string
    }
    /** `true`: the connection used up a permission of --allow-once. Absent otherwise */
    readonly once?: boolean
    /** Bytes that the guest sent */
    readonly bytesOut: number
    /** Bytes that the guest received */
    readonly bytesIn: number
    /** Bytes of `bytes_in` that came from the package cache of this host. Absent if there are none */
    readonly cachedBytes?: number
    readonly durationMs: number
  }>
  /** Connections that are open now, the newest 100. Empty with `denied` */
  readonly open: ReadonlyArray<{
    /** Time of the guest's request, ISO 8601 */
    readonly at: string
    /** `connection`: TCP. `datagrams`: UDP between one port of the guest and one address */
    readonly kind: "connection" | "datagrams"
    /** Name or address that the guest asked for */
    readonly host: string
    /** Port of the connection */
    readonly port: number
    /** Address that the host connected to */
    readonly address: string
    /** Bytes that the guest sent so far */
    readonly bytesOut: number
    /** Bytes that the guest received so far */
    readonly bytesIn: number
    /** `true`: the connection used up a permission of --allow-once. Absent otherwise */
    readonly once?: boolean
  }>
  /** Cursor of the next call */
  readonly nextCursor: number
  /** Number of entries after the cursor that the log no longer has. Absent if there are none */
  readonly droppedCount?: number
}

/** A new workspace. */
export interface CreateFields {
  /** Environment of the workspace */
  readonly environment?: string | undefined
  /**
   * Directory with a Dockerfile, or the Dockerfile. Builds an environment of it, and copies the directory. Excludes
   * `devcontainer`, `repo_url` and `from_snapshot`
   */
  readonly dockerfile?: string | undefined
  /**
   * Directory of a project with a devcontainer.json, or that file. Builds its environment, copies the project, and runs
   * its commands. Excludes `repo_url`
   */
  readonly devcontainer?: string | undefined
  /** Build the environment of `devcontainer` again, also without a change of its devcontainer.json. Default: false */
  readonly rebuild?: boolean | undefined
  /** Do not run the commands of `devcontainer`, also not at a later start. Default: false */
  readonly skipCommands?: boolean | undefined
  /** Publish the ports that `devcontainer` forwards, each on a free port of this host. Default: false */
  readonly forwardPorts?: boolean | undefined
  /**
   * Registry that the files of `devcontainer` or `dockerfile` may name beside the well-known ones: HOST[:PORT],
   * localhost:PORT of this host, or localhost/NAME of an environment of this host. The programs of the build can reach
   * it, those of the workspace cannot. Default: none
   */
  readonly allowRegistries?: ReadonlyArray<string> | undefined
  /**
   * Logins of registries by host, as USER:PASSWORD, for the images of `devcontainer`. They stay outside of the microVM.
   * Default: none
   */
  readonly registryAuth?: Readonly<Record<string, string>> | undefined
  /**
   * Host that gives tokens for the registry, and so gets its login: NAME[:PORT]. Default: the registry, and what pyro
   * knows of it
   */
  readonly tokenHosts?: ReadonlyArray<string> | undefined
  /**
   * Directory or archive (tar, tar.gz, tar.zst, zip, 7z) of the host to copy to /workspace. Default: /workspace is
   * empty
   */
  readonly seedPath?: string | undefined
  /** Git URL to check out in /workspace */
  readonly repoUrl?: string | undefined
  /** Branch, tag or commit of `repo_url`. Default: the remote's default branch */
  readonly repoRef?: string | undefined
  /** History of the repository to copy. `shallow`: the last commit. `full`: all commits. `none`: no .git */
  readonly git?: "shallow" | "full" | "none" | undefined
  /** Ignored files to copy as well: globs as in .gitignore, relative to the directory */
  readonly includeIgnored?: ReadonlyArray<string> | undefined
  /** Allow a home directory, a directory that contains one, or / as the source */
  readonly allowHome?: boolean | undefined
  /** Owner of /workspace and of its files. Commands run as this user unless they name another */
  readonly workspaceUser?: "root" | "agent" | undefined
  /** Unique name of the workspace. 1 to 63 letters, digits, '.', '_' and '-'. Default: none */
  readonly name?: string | undefined
  /** Labels, for `workspace list --label`. Default: none */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Time from the last activity until pyro deletes the workspace, in ms, rounded up to seconds. Default: never */
  readonly ttlMs?: number | undefined
  /**
   * Time without a use until pyro pauses the workspace, in ms, rounded up to seconds; 0: never. Default:
   * PYRO_PAUSE_AFTER_SECONDS of the daemon
   */
  readonly pauseAfterMs?: number | undefined
  /**
   * Environment variables of each command, shell and service of the workspace. Their own variables win. No secrets.
   * Default: none
   */
  readonly env?: Readonly<Record<string, string>> | undefined
  /**
   * Working directory of each command, shell and service that names none. A relative path is relative to /workspace.
   * Default: /workspace
   */
  readonly cwd?: string | undefined
  /**
   * Program that runs the microVM. `firecracker`: needs KVM and an installed Firecracker; forks share memory. `auto`:
   * QEMU. Default: PYRO_DRIVER, else `auto`
   */
  readonly driver?: "auto" | "qemu" | "firecracker" | undefined
  /** Number of virtual CPUs (1 to 32) */
  readonly vcpuCount?: number | undefined
  /** Guest memory in MiB (128 to 1048576) */
  readonly memoryMib?: number | undefined
  /** Size of the disk in MiB. The host's disk is used only as the guest writes (64 to 4194304) */
  readonly diskMib?: number | undefined
  /**
   * Network of the guest. `off`: none. `egress`: TCP connections and look-ups of names, from the guest outwards.
   * `egress+published-ports`: also lets a model publish ports of the guest. Default: `off`, or `egress` if a host or an
   * address is allowed
   */
  readonly networkPolicy?: "off" | "egress" | "egress+published-ports" | undefined
  /**
   * Host that the guest may connect to: NAME[:PORT], *.SUFFIX[:PORT], or a list of `pyro network lists`, such as npm.
   * Default: no network, or every public host with the policy egress
   */
  readonly allowHosts?: ReadonlyArray<string> | undefined
  /** Host that the guest may not connect to, in the same forms. Wins over allow_hosts. Default: none */
  readonly denyHosts?: ReadonlyArray<string> | undefined
  /**
   * Address that the guest may connect to: IP[/BITS][:PORT] or [IPV6[/BITS]]:PORT. Private addresses and connections
   * without a name need such a rule. Default: none
   */
  readonly allowIps?: ReadonlyArray<string> | undefined
  /**
   * Use no cache of packages. By default, downloads of npm, pip, apt, cargo, go and Maven from registries that the
   * policy allows are kept on the host for all workspaces
   */
  readonly noPackageCache?: boolean | undefined
  /**
   * Let the guest's programs trust the certificate authorities that this host trusts beyond the public ones, such as
   * that of a company's TLS proxy. Default: `PYRO_TRUST_HOST_CERTIFICATES`, else they trust the public ones alone
   */
  readonly trustHostCertificates?: boolean | undefined
  /** Fail if the host cannot confine the microVM to this level */
  readonly requireConfinement?: "namespaces" | "namespaces+uid" | undefined
  /**
   * Values of secrets by their names, for `secretEnv` and `secretMount` of commands. pyro removes the values from
   * output. Default: none
   */
  readonly secrets?: Readonly<Record<string, string>> | undefined
  /**
   * Secrets that only a host gets: NAME@HOST[:PORT][:HEADER] or NAME@PRESET. The guest has a placeholder in the
   * variable NAME, and pyro puts the value into HTTPS requests to HOST. Needs a network policy that allows HOST.
   * Default: none
   */
  readonly secretHttp?: ReadonlyArray<string> | undefined
  /**
   * Names of secrets whose values commands can have, as variables or files, although `secret_http` names a host for
   * them. Without this, commands have placeholders. Default: none
   */
  readonly secretCommands?: ReadonlyArray<string> | undefined
  /**
   * Hosts that the guest may log in to with your SSH agent while the workspace exists, as your known_hosts has them. 1
   * to 16 hosts. Default: none
   */
  readonly sshAgent?: ReadonlyArray<string> | undefined
  /** Each login waits until you allow it with `answer` or on the page. Needs `ssh_agent`. Default: false */
  readonly sshAgentAsk?: boolean | undefined
  /** Socket of the SSH agent, of the user who runs pyro. Default: SSH_AUTH_SOCK of the caller */
  readonly sshAgentSocket?: string | undefined
  /**
   * Saved snapshot to start from, by its name in `pyro saved list`. Environment, sizes, driver and files are the
   * snapshot's
   */
  readonly fromSnapshot?: string | undefined
  /** Use only the files, in a new microVM without running processes */
  readonly diskOnly?: boolean | undefined
}

/** How a command runs. */
export interface CommandFields {
  /** Time until the command and its children are ended, with status 124, in ms. Default: no limit */
  readonly timeoutMs?: number | undefined
  /** Time between the first signal and SIGKILL to the command and its children, in ms. Default: 2000 */
  readonly graceMs?: number | undefined
  /** Environment variables of the command. Default: none */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Working directory. A relative path is relative to /workspace. Default: the directory of the workspace */
  readonly cwd?: string | undefined
  /** User to run as: `root`, `agent`, a uid, or uid:gid. Default: the owner of /workspace */
  readonly user?: string | undefined
  /** Secrets to pass as environment variables: NAME, or NAME=VARIABLE for another variable. Default: none */
  readonly secretEnv?: ReadonlyArray<string> | undefined
  /**
   * Secrets to pass as files on a tmpfs of the guest: NAME for /run/secrets/NAME, or NAME=PATH. The command's user
   * alone can read a file, and pyro removes the file after the command. Default: none
   */
  readonly secretMount?: ReadonlyArray<string> | undefined
}

/** A new shell. */
export interface ShellFields {
  /** Environment variables of the command. Default: none */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Working directory. A relative path is relative to /workspace. Default: the directory of the workspace */
  readonly cwd?: string | undefined
  /** User to run as: `root`, `agent`, a uid, or uid:gid. Default: the owner of /workspace */
  readonly user?: string | undefined
  /** Width of the terminal in columns (2 to 1000) */
  readonly cols?: number | undefined
  /** Height of the terminal in rows (1 to 500) */
  readonly rows?: number | undefined
  /** Secrets to pass as environment variables: NAME, or NAME=VARIABLE for another variable. Default: none */
  readonly secretEnv?: ReadonlyArray<string> | undefined
  /**
   * Secrets to pass as files on a tmpfs of the guest: NAME for /run/secrets/NAME, or NAME=PATH. The command's user
   * alone can read a file, and pyro removes the file after the command. Default: none
   */
  readonly secretMount?: ReadonlyArray<string> | undefined
}

/** The wanted output of a shell. */
export interface ShellReadFields {
  /** Position in the output to read from, in bytes: `next_cursor` of an earlier read */
  readonly cursor?: number | undefined
  /**
   * Show the lines that a person sees on the terminal, without its codes: from the line of the cursor on, or the whole
   * screen of a full-screen program
   */
  readonly plain?: boolean | undefined
  /** `text`: bytes that are not UTF-8 are replaced. `base64`: the exact bytes. Only without `plain` */
  readonly encoding?: "text" | "base64" | undefined
  /** Maximum bytes of output to return. With `plain`, the earlier lines are left out first (1 to 4194304) */
  readonly maxBytes?: number | undefined
  /** Wait until no output came for this time, in ms. Default: return at once (1 to 60000) */
  readonly waitForIdleMs?: number | undefined
  /** Wait until the new lines contain this text. With `wait_for_idle_ms`, the pause comes after the text */
  readonly waitFor?: string | undefined
  /** Maximum time of the waits, in ms. Default: 30000 */
  readonly waitMs?: number | undefined
}

/** A new service. */
export interface ServiceFields {
  /** The service is ready when this TCP port of the guest accepts a connection on the loopback address (1 to 65535) */
  readonly readyTcp?: number | undefined
  /**
   * The service is ready when this URL of the guest answers with a status of 200 to 399. Only http on localhost; pyro
   * follows no redirect
   */
  readonly readyHttp?: string | undefined
  /**
   * The service is ready when this file of the guest exists. A relative path is relative to /workspace. A file that
   * exists before the start counts too
   */
  readonly readyFile?: string | undefined
  /**
   * The service is ready when this shell script ends with status 0. It runs again and again, as the service's user,
   * with its variables and in its directory. `ready_timeout_seconds` bounds all of them together
   */
  readonly readyCommand?: string | undefined
  /** Time between two tries of the check. Default: 25 ms, and longer after a try that took long (10 to 600000) */
  readonly readyIntervalMs?: number | undefined
  /**
   * Time until a service that is not ready counts as failed, in ms. Default: 60000, or what the health check of an
   * image says
   */
  readonly readyTimeoutMs?: number | undefined
  /**
   * `never`: an ended service stays ended. `on-failure`: start the service again, with a growing delay, when it fails
   * after it was ready. pyro gives up after 10 failures in a row. `always`: also when it ends with status 0, and when
   * the workspace is started again
   */
  readonly restart?: "never" | "on-failure" | "always" | undefined
  /**
   * Ports of the guest to publish on 127.0.0.1 of the host while the service lives: [HOST_PORT:]GUEST_PORT. Without
   * HOST_PORT, or with 0, the host chooses a free one. Default: none
   */
  readonly publish?: ReadonlyArray<string> | undefined
  /** Environment variables of the command. Default: none */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Working directory. A relative path is relative to /workspace. Default: the directory of the workspace */
  readonly cwd?: string | undefined
  /** User to run as: `root`, `agent`, a uid, or uid:gid. Default: the owner of /workspace */
  readonly user?: string | undefined
  /** Secrets to pass as environment variables: NAME, or NAME=VARIABLE for another variable. Default: none */
  readonly secretEnv?: ReadonlyArray<string> | undefined
  /**
   * Secrets to pass as files on a tmpfs of the guest: NAME for /run/secrets/NAME, or NAME=PATH. The command's user
   * alone can read a file, and pyro removes the file after the command. Default: none
   */
  readonly secretMount?: ReadonlyArray<string> | undefined
}

/** The wanted part of a service's log. */
export interface ServiceLogFields {
  /** Position to start from: a `next_cursor`. Default: the beginning of the log since `service start` */
  readonly cursor?: number | undefined
  /** Show only this many of the newest lines, as far as they fit into max_bytes (1 to 10000) */
  readonly tailLines?: number | undefined
  /** Maximum bytes of output of one answer (1 to 4194304) */
  readonly maxBytes?: number | undefined
  /**
   * Wait for output if there is none, at most 20 seconds. The command line goes on until the service has ended, and
   * says how on stderr
   */
  readonly follow?: boolean | undefined
}

/** The wanted entries of a directory. */
export interface FileListFields {
  /** List subdirectories as well */
  readonly recursive?: boolean | undefined
  /** Number of levels to list; 1 is the directory's own entries. Default: 1, with `recursive` all (1 to 1024) */
  readonly depth?: number | undefined
  /** Maximum number of entries, upper levels first (1 to 10000) */
  readonly limit?: number | undefined
  /** Act with the rights of this user: `root`, `agent`, a uid, or uid:gid. Default: root */
  readonly user?: string | undefined
}

/** How a file is written. */
export interface FileWriteFields {
  /** Permission bits in octal, such as 755. Default: those of the old file, 644 for a new file */
  readonly mode?: string | undefined
  /** Add the content to the end of the file. Readers see it as it comes. Default: false */
  readonly append?: boolean | undefined
  /** Write only if the file has this version, from a read; `absent`: only if there is no file. Default: any version */
  readonly expectedVersion?: string | undefined
  /** Act with the rights of this user: `root`, `agent`, a uid, or uid:gid. Default: root */
  readonly user?: string | undefined
}

/** How a file is edited. */
export interface FileEditFields {
  /** Replace every occurrence */
  readonly replaceAll?: boolean | undefined
  /** Edit only if the file has this version, from a read. Default: any version */
  readonly expectedVersion?: string | undefined
  /** Act with the rights of this user: `root`, `agent`, a uid, or uid:gid. Default: root */
  readonly user?: string | undefined
}

/** How a file is looked at. */
export interface FileStatFields {
  /** Act with the rights of this user: `root`, `agent`, a uid, or uid:gid. Default: root */
  readonly user?: string | undefined
  /** Show a symbolic link itself, and not its target */
  readonly noFollow?: boolean | undefined
}

/** How a directory is made. */
export interface MkdirFields {
  /** Act with the rights of this user: `root`, `agent`, a uid, or uid:gid. Default: root */
  readonly user?: string | undefined
  /** Make missing directories above it, and accept one that is there */
  readonly parents?: boolean | undefined
  /** Permission bits in octal, such as 700. Default: 755 */
  readonly mode?: string | undefined
}

/** How a file is removed. */
export interface RemoveFields {
  /** Act with the rights of this user: `root`, `agent`, a uid, or uid:gid. Default: root */
  readonly user?: string | undefined
  /** Remove a directory with all its content */
  readonly recursive?: boolean | undefined
  /** Succeed if there is nothing at the path */
  readonly ifExists?: boolean | undefined
}

/** How a file is renamed. */
export interface RenameFields {
  /** Act with the rights of this user: `root`, `agent`, a uid, or uid:gid. Default: root */
  readonly user?: string | undefined
  /** Replace a file, or an empty directory, at the target */
  readonly replace?: boolean | undefined
}

/** How a file is copied. */
export interface CopyFields {
  /** Act with the rights of this user: `root`, `agent`, a uid, or uid:gid. Default: root */
  readonly user?: string | undefined
  /** Replace a file, or an empty directory, at the target */
  readonly replace?: boolean | undefined
}

/** A network policy. */
export interface NetworkFields {
  /**
   * Network of the guest. `off`: none. `egress`: TCP connections and look-ups of names, from the guest outwards.
   * `egress+published-ports`: also lets a model publish ports of the guest. Not needed where a host or an address is
   * allowed: `egress`
   */
  readonly networkPolicy?: "off" | "egress" | "egress+published-ports" | undefined
  /**
   * Host that the guest may connect to: NAME[:PORT], *.SUFFIX[:PORT], or a list of `pyro network lists`, such as npm.
   * With the policy egress and none: every public host
   */
  readonly allowHosts?: ReadonlyArray<string> | undefined
  /** Host that the guest may not connect to, in the same forms. Wins over allow_hosts. Default: none */
  readonly denyHosts?: ReadonlyArray<string> | undefined
  /**
   * Address that the guest may connect to: IP[/BITS][:PORT] or [IPV6[/BITS]]:PORT. Private addresses and connections
   * without a name need such a rule. Default: none
   */
  readonly allowIps?: ReadonlyArray<string> | undefined
  /**
   * Use no cache of packages. By default, downloads of npm, pip, apt, cargo, go and Maven from registries that the
   * policy allows are kept on the host for all workspaces
   */
  readonly noPackageCache?: boolean | undefined
  /**
   * Let the guest's programs trust the certificate authorities that this host trusts beyond the public ones, such as
   * that of a company's TLS proxy. Default: `PYRO_TRUST_HOST_CERTIFICATES`, else they trust the public ones alone
   */
  readonly trustHostCertificates?: boolean | undefined
  /**
   * Host that the guest may connect to once: NAME[:PORT], without a pattern or list. Beside the policy, which stays:
   * takes no other option. The next connection that the policy would deny uses the permission up. The permission also
   * ends after ten minutes, with a stop, pause or reset, with the daemon, and with the policy off. Default: none
   */
  readonly allowOnce?: ReadonlyArray<string> | undefined
}

/** The wanted connections. */
export interface NetworkLogFields {
  /** Show only what the policy denied */
  readonly denied?: boolean | undefined
  /** Number of the last entry that is known: show the entries after it. Default: show the newest */
  readonly cursor?: number | undefined
  /** Maximum number of entries to show (1 to 1000) */
  readonly limit?: number | undefined
  /**
   * Wait for the next entry if there is none. The command line goes on until Ctrl-C, with --json as one entry a line
   */
  readonly follow?: boolean | undefined
}

/** A fork of a workspace. */
export interface ForkFields {
  /** Name of the fork. Several forks get NAME-1, NAME-2 and so on. Default: none */
  readonly name?: string | undefined
  /** Snapshot to fork. Default: the current state */
  readonly snapshot?: string | undefined
  /**
   * Id of a command or of a point: begin with the state of the moment before the command, or of the point. Default: the
   * current state
   */
  readonly at?: string | undefined
  /** Use only the files, in a new microVM without running processes */
  readonly diskOnly?: boolean | undefined
  /** Fork the files alone, and give the forks none of the workspace's secrets. Files may still have the values */
  readonly withoutSecrets?: boolean | undefined
}

/** How candidates are tried. */
export interface TryFields {
  /**
   * Candidate that becomes the workspace, if it passes: `best`, `first-pass`, or a candidate's name. `none` keeps the
   * workspace as it is. `ask`: pyro asks on the terminal after the results
   */
  readonly keep?: string | undefined
  /** End the other candidates when one passes */
  readonly stopAtFirstPass?: boolean | undefined
  /**
   * Most candidates at a time. Default: as many as the host has cores for. Those that no memory is left for wait (1 to
   * 16)
   */
  readonly maxParallel?: number | undefined
  /** Time until a candidate, with its check, is ended, in ms. Default: no limit */
  readonly timeoutMs?: number | undefined
}

/** How a workspace becomes an environment. */
export interface CommitFields {
  /**
   * Directory of the new environment for the files of /workspace, in place of its own. Default: they stay out, because
   * each workspace has a /workspace of its own
   */
  readonly workspaceAs?: string | undefined
  /** Give the name to the new environment if another environment of yours has the name */
  readonly replace?: boolean | undefined
  /** Allow content that has the value of a secret. Default: pyro refuses the content */
  readonly allowSecrets?: boolean | undefined
}

/** How a workspace is saved. */
export interface SaveFields {
  /** Save the files alone, without memory and processes */
  readonly diskOnly?: boolean | undefined
}

/** How a saved snapshot is exported. */
export interface SavedExportFields {
  /** Export the files alone, which start on every host that has the environment */
  readonly diskOnly?: boolean | undefined
  /** Replace an existing file or link */
  readonly overwrite?: boolean | undefined
  /** Allow content that has the value of a secret. Default: pyro refuses the content */
  readonly allowSecrets?: boolean | undefined
}

/** How a saved snapshot is imported. */
export interface SavedImportFields {
  /** Name of the saved snapshot on this host. Default: the one in the file */
  readonly name?: string | undefined
  /** Import the files alone, without a memory */
  readonly diskOnly?: boolean | undefined
  /** SHA-256 that the file must have */
  readonly expect?: string | undefined
}

/** The state to return to. */
export interface RewindFields {
  /** Id of a command: go back to the newest point before it. Default: none */
  readonly before?: string | undefined
  /** Number of commands to undo that changed something. Default: 1 (1 to 10000) */
  readonly steps?: number | undefined
  /** Id of a point: go to it, also forward after a rewind. Default: none */
  readonly to?: string | undefined
}

/** The wanted commands. */
export interface HistoryFields {
  /** Maximum number of commands to list, the newest (1 to 10000) */
  readonly limit?: number | undefined
}

/** The state to return to. */
export interface ResetFields {
  /** Snapshot of the workspace to restore. Default: the state after create */
  readonly snapshot?: string | undefined
  /**
   * Id of a command, or a number of commands: go back to the moment before it, as `rewind` does. The id of a point is
   * allowed too. Default: none
   */
  readonly before?: string | undefined
  /** Use only the files, in a new microVM without running processes */
  readonly diskOnly?: boolean | undefined
}

/** What changes of a workspace. */
export interface UpdateFields {
  /** New name. Default: unchanged */
  readonly name?: string | undefined
  /** Remove the name: the id stays */
  readonly clearName?: boolean | undefined
  /** Labels to set. Other labels stay. Default: none */
  readonly labels?: Readonly<Record<string, string>> | undefined
  /** Keys of labels to remove. Default: none */
  readonly clearLabels?: ReadonlyArray<string> | undefined
  /**
   * Time from the last activity until pyro deletes the workspace, in ms, rounded up to seconds; 0: never. Default:
   * unchanged
   */
  readonly ttlMs?: number | undefined
  /** Time without a use until pyro pauses the workspace, in ms, rounded up to seconds; 0: never. Default: unchanged */
  readonly pauseAfterMs?: number | undefined
  /**
   * Environment variables of the workspace to set, for commands, shells and runs of services that start later. Others
   * stay. Default: none
   */
  readonly env?: Readonly<Record<string, string>> | undefined
  /** Names of environment variables to remove. Default: none */
  readonly clearEnv?: ReadonlyArray<string> | undefined
  /**
   * New working directory of commands, shells and services that name none. A relative path is relative to /workspace.
   * Default: unchanged
   */
  readonly cwd?: string | undefined
  /**
   * New size of the disk in MiB, for a stopped or failed workspace. A disk never shrinks. Default: unchanged (64 to
   * 4194304)
   */
  readonly diskMib?: number | undefined
  /**
   * Values of secrets by their names, for `secretEnv` and `secretMount` of commands. pyro removes the values from
   * output. Default: none
   */
  readonly secrets?: Readonly<Record<string, string>> | undefined
  /**
   * Secrets that only a host gets: NAME@HOST[:PORT][:HEADER] or NAME@PRESET. The guest has a placeholder in the
   * variable NAME, and pyro puts the value into HTTPS requests to HOST. Other hosts stay. Default: none
   */
  readonly secretHttp?: ReadonlyArray<string> | undefined
  /**
   * Names of secrets whose values commands can have, as variables or files, although `secret_http` names a host for
   * them. Without this, commands have placeholders. Default: unchanged, and a name in `secret_http` takes the value
   * from commands
   */
  readonly secretCommands?: ReadonlyArray<string> | undefined
  /** Names of secrets to remove. Default: none */
  readonly clearSecrets?: ReadonlyArray<string> | undefined
  /**
   * Hosts that no longer get a secret: NAME@HOST[:PORT] or NAME@PRESET. pyro denies requests with the placeholder until
   * a reset. Default: none
   */
  readonly clearSecretHttp?: ReadonlyArray<string> | undefined
  /**
   * Hosts that the guest may log in to with your SSH agent while the workspace exists, as your known_hosts has them. 1
   * to 16 hosts. Default: unchanged
   */
  readonly sshAgent?: ReadonlyArray<string> | undefined
  /** Each login waits until you allow it with `answer` or on the page. Needs `ssh_agent`. Default: false */
  readonly sshAgentAsk?: boolean | undefined
  /** Socket of the SSH agent, of the user who runs pyro. Default: SSH_AUTH_SOCK of the caller */
  readonly sshAgentSocket?: string | undefined
  /** Lend the SSH agent no longer. Default: false */
  readonly clearSshAgent?: boolean | undefined
}

/** The wanted changes. */
export interface DiffFields {
  /** Files and directories to compare. Default: all */
  readonly paths?: ReadonlyArray<string> | undefined
  /** Leave out the patch: show counts of lines */
  readonly stat?: boolean | undefined
  /** Leave out the patch, the counts of lines and the digest */
  readonly nameOnly?: boolean | undefined
  /** Include new files that ignore rules exclude: rules of the seed, and of ignore files made in the guest */
  readonly includeIgnored?: boolean | undefined
  /** Compare the content of all files instead of inodes and times. Slower; the guest's kernel still reads the files */
  readonly verified?: boolean | undefined
  /** Maximum bytes of the patch in the result, from its beginning. An export writes the whole patch (0 to 4194304) */
  readonly maxBytes?: number | undefined
}

/** How a patch is applied. */
export interface PatchFields {
  /** Only check whether the patch applies, and show the changes */
  readonly check?: boolean | undefined
}

/** How files are copied to the host. */
export interface ExportFields {
  /** More files or directories. Each of several paths keeps its path relative to /workspace. Default: none */
  readonly paths?: ReadonlyArray<string> | undefined
  /** Globs of paths to leave out, as in .gitignore, relative to /workspace. Default: none */
  readonly exclude?: ReadonlyArray<string> | undefined
  /** Export the diff against the seed as a patch for git apply */
  readonly patch?: boolean | undefined
  /**
   * Make the changes of the diff in the files of a directory. A file there that is neither as it was seeded nor as the
   * workspace has it refuses all of them
   */
  readonly apply?: boolean | undefined
  /** With `patch` or `apply`: include new files that ignore rules exclude, as `diff` does */
  readonly includeIgnored?: boolean | undefined
  /** With `apply`: write nothing, and show what would be changed or refused */
  readonly check?: boolean | undefined
  /** With `patch` or `apply`: fail unless the diff has this digest, from `workspace diff --json` */
  readonly expect?: string | undefined
  /**
   * Wait until the user allows the export, with `pyro answer` or on the page of `pyro ui`. Not for the standard output
   */
  readonly ask?: boolean | undefined
  /** Replace existing files and links. Directories are never replaced */
  readonly overwrite?: boolean | undefined
  /** Keep the modification times of files in what is written, with `output`. `pyro cp` always does */
  readonly preserveTimes?: boolean | undefined
  /** Allow files that tools of the host execute or load automatically, such as .vscode, .env, .envrc or .npmrc */
  readonly allowExecutableConfig?: boolean | undefined
  /** Allow content that has the value of a secret. Default: pyro refuses the content */
  readonly allowSecrets?: boolean | undefined
  /** Maximum content in MiB. A larger export fails (1 to 16777216) */
  readonly maxMib?: number | undefined
  /** Maximum number of files, directories and links. A larger export fails (1 to 1000000) */
  readonly maxEntries?: number | undefined
}

/** How files are copied to the guest. */
export interface ImportFields {
  /** Keep the modification times of files in the copies in the guest. `pyro cp` always does */
  readonly preserveTimes?: boolean | undefined
  /** Allow a home directory, a directory that contains one, or / as the source */
  readonly allowHome?: boolean | undefined
  /** Maximum content in MiB. A larger copy is refused (1 to 16777216) */
  readonly maxMib?: number | undefined
  /** Maximum number of files, directories and links. A larger copy is refused (1 to 1000000) */
  readonly maxEntries?: number | undefined
}

/** How changes of the host are copied to the guest. */
export interface PushFields {
  /** Directory of /workspace to copy to, created if it is missing */
  readonly dest?: string | undefined
  /** Ignored files to copy as well: globs as in .gitignore, relative to the directory */
  readonly includeIgnored?: ReadonlyArray<string> | undefined
  /** Allow a home directory, a directory that contains one, or / as the source */
  readonly allowHome?: boolean | undefined
  /** Remove files from the workspace that were seeded and are gone from the directory */
  readonly delete?: boolean | undefined
  /** Overwrite files that were changed in the workspace */
  readonly force?: boolean | undefined
}
