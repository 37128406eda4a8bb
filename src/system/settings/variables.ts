import type { Allowed } from "./allowed-values.ts"
import { buildVariables } from "./build-variables.ts"
import { proxyVariables } from "./proxy-variables.ts"
import { registryVariables } from "./registry-variables.ts"
import { rewindVariables } from "./rewind-variables.ts"
import { sshVariables } from "./ssh-variables.ts"
import { uiVariables } from "./ui-variables.ts"

/** One environment variable. An empty value counts as none. */
export interface Variable {
  readonly group: "pyro" | "host" | "testing"
  readonly allowed: Allowed
  readonly unit?: string
  /** Value of an absent variable. */
  readonly default?: number | string
  /** The same for the reference, where the value depends on the host. */
  readonly otherwise?: string
  readonly purpose: string
  readonly readers: string
}

const DAEMON = "the daemon, when it starts"
const EVERY = "every command"

/** Every environment variable that pyro reads; `docs/configuration.md` is generated from this table. */
export const variables = {
  PYRO_STATE_DIR: {
    group: "pyro",
    allowed: { kind: "directory" },
    otherwise: "`$XDG_STATE_HOME/pyro`, else `~/.local/state/pyro`",
    purpose: "Directory of workspaces, snapshots and the daemon. Its content must not vanish",
    readers: EVERY
  },
  PYRO_CACHE_DIR: {
    group: "pyro",
    allowed: { kind: "directory" },
    otherwise: "`$XDG_CACHE_HOME/pyro`, else `~/.cache/pyro`",
    purpose: "Directory of environments, kernels, templates and seed images. pyro can make all of its content again",
    readers: EVERY
  },
  PYRO_MEMORY_DIR: {
    group: "pyro",
    allowed: { kind: "directory" },
    otherwise: "`/dev/shm` if this user can write there, else the state directory",
    purpose: "Directory of the memory files of running microVMs",
    readers: EVERY
  },
  PYRO_WORKSPACE: {
    group: "pyro",
    allowed: { kind: "text", what: "a name or an id of a workspace" },
    otherwise: "none",
    purpose: "Workspace of a command that names none. `delete` always needs a name",
    readers: EVERY
  },
  PYRO_CONTEXT: {
    group: "pyro",
    allowed: { kind: "text", what: "a name of `pyro context list`, or `local`" },
    otherwise: "that of `pyro context use`, else `local`",
    purpose: "Machine that commands use, as with `--context`. `local` is this one",
    readers: EVERY
  },
  PYRO_TOKEN: {
    group: "pyro",
    allowed: { kind: "text", what: "a token of `pyro serve token add`" },
    otherwise: "that of `pyro context add --token-file`",
    purpose: "Token for the server of a context with an address of `wss://`, if pyro keeps none for the context",
    readers: EVERY
  },
  PYRO_DISK_BUDGET_MIB: {
    group: "pyro",
    allowed: { kind: "integer", min: 0, max: 1_073_741_824 },
    unit: "MiB",
    default: 0,
    purpose:
      "Maximum disk space of state and cache together; 0: no maximum. pyro evicts caches first, then refuses new workspaces",
    readers: EVERY
  },
  PYRO_DISK_RESERVE_MIB: {
    group: "pyro",
    allowed: { kind: "integer", min: 0, max: 1_073_741_824 },
    unit: "MiB",
    default: 64,
    purpose: "Free disk space that a new workspace, run, fork or snapshot needs. pyro evicts caches to get the space",
    readers: EVERY
  },
  ...buildVariables,
  PYRO_TRUST_HOST_CERTIFICATES: {
    group: "pyro",
    allowed: { kind: "choice", choices: ["0", "1"] },
    default: "0",
    purpose:
      "1: every guest that gets a network trusts the certificate authorities of this host, as with `--trust-host-certificates`",
    readers: DAEMON
  },
  PYRO_QEMU: {
    group: "pyro",
    allowed: { kind: "absolute-path", what: "the QEMU program" },
    otherwise: "the first `qemu-system-x86_64` on `PATH`",
    purpose: "QEMU that runs the microVMs. Version 7.2 or newer",
    readers: `${DAEMON}; \`pyro doctor\``
  },
  PYRO_DRIVER: {
    group: "pyro",
    allowed: { kind: "choice", choices: ["auto", "qemu", "firecracker"] },
    default: "auto",
    purpose: "Program that runs the microVMs of new workspaces, as with `--driver`. `auto` is QEMU",
    readers: `${DAEMON}; \`pyro doctor --selftest\``
  },
  PYRO_FIRECRACKER: {
    group: "pyro",
    allowed: { kind: "absolute-path", what: "the Firecracker program" },
    otherwise: "the first `firecracker` on `PATH`",
    purpose: "Firecracker that runs the microVMs of `--driver firecracker`. Version 1.12 or newer, below 2",
    readers: `${DAEMON}; \`pyro doctor\``
  },
  PYRO_ACCELERATOR: {
    group: "pyro",
    allowed: { kind: "choice", choices: ["kvm", "tcg"] },
    otherwise: "`kvm` if a guest kernel boots on it, else `tcg`",
    purpose: "How QEMU runs guest code: with the processor's virtualisation or by translation",
    readers: `${DAEMON}; \`pyro doctor\``
  },
  PYRO_DEADLINE_SCALE: {
    group: "pyro",
    allowed: { kind: "number", min: 1, max: 1000 },
    default: 1,
    purpose:
      "Factor of every deadline of a guest's start and of the daemon's start, end and answers, and of the 10 s for which the daemon keeps events for a slow client. For hosts that are emulated themselves or very busy",
    readers: EVERY
  },
  PYRO_POOL_MEMBERS: {
    group: "pyro",
    allowed: { kind: "integer", min: 0, max: 64 },
    unit: "microVMs",
    default: 2,
    purpose:
      "Number of microVMs of a kind that wait for the next request. 0 saves the memory and makes `create` slower",
    readers: DAEMON
  },
  PYRO_PAUSE_AFTER_SECONDS: {
    group: "pyro",
    allowed: { kind: "integer", min: 0, max: 31_536_000 },
    unit: "seconds",
    otherwise:
      "never; 3600 for workspaces that `pyro mcp serve` creates, and 600 for those of the SDK's handle, which keeps them alive",
    purpose:
      "Time without a use until pyro pauses a new workspace, as with `--pause-after`; 0: never. Forks and workspaces from a saved snapshot have their origin's",
    readers: DAEMON
  },
  ...rewindVariables,
  PYRO_DAEMON_IDLE_MS: {
    group: "pyro",
    allowed: { kind: "integer", min: 0, max: 31_536_000_000 },
    unit: "ms",
    default: 600_000,
    purpose: "Time that a daemon without workspaces and requests stays. Values below 100 count as 100",
    readers: DAEMON
  },
  PYRO_NATIVE_DIR: {
    group: "pyro",
    allowed: { kind: "absolute-path", what: "a directory" },
    otherwise: "the package's own builds",
    purpose: "Directory of pyro's native programs and of the guest agent",
    readers: `${DAEMON}; commands about environments and the host`
  },
  XDG_STATE_HOME: {
    group: "host",
    allowed: { kind: "text", what: "an absolute path" },
    otherwise: "`~/.local/state`",
    purpose: "Parent of the state directory. A relative path is ignored, as the XDG specification requires",
    readers: EVERY
  },
  XDG_CACHE_HOME: {
    group: "host",
    allowed: { kind: "text", what: "an absolute path" },
    otherwise: "`~/.cache`",
    purpose: "Parent of the cache directory. A relative path is ignored, as the XDG specification requires",
    readers: EVERY
  },
  LOCALAPPDATA: {
    group: "host",
    allowed: { kind: "text", what: "an absolute path" },
    otherwise: "`~\\AppData\\Local`",
    purpose: "On Windows: parent of `pyro\\state` and `pyro\\cache`, the directories of state and cache",
    readers: EVERY
  },
  HOME: {
    group: "host",
    allowed: { kind: "text", what: "a directory" },
    otherwise: "the home directory of the user's account",
    purpose: "Home directory of the user. pyro refuses to seed a workspace from the whole of a home directory",
    readers: EVERY
  },
  ...sshVariables,
  PATH: {
    group: "host",
    allowed: { kind: "text", what: "directories, separated by `:`" },
    default: "/usr/bin:/bin",
    purpose:
      "Directories of the host's programs, such as QEMU, git and bubblewrap. pyro also looks in `/usr/sbin` and `/sbin`",
    readers: EVERY
  },
  SSL_CERT_FILE: {
    group: "host",
    allowed: { kind: "text", what: "a file of PEM certificates" },
    otherwise: "the file of the host's distribution",
    purpose: "Certificate authorities that pyro trusts when it sends a secret to a host",
    readers: DAEMON
  },
  NODE_EXTRA_CA_CERTS: {
    group: "host",
    allowed: { kind: "text", what: "a file of PEM certificates" },
    otherwise: "none",
    purpose: "More certificate authorities that pyro trusts for the same purpose",
    readers: DAEMON
  },
  ...proxyVariables,
  ...registryVariables,
  NO_COLOR: {
    group: "host",
    allowed: { kind: "text", what: "any text" },
    otherwise: "none",
    purpose: "Any value turns colours off (no-color.org)",
    readers: "commands on a terminal"
  },
  TERM: {
    group: "host",
    allowed: { kind: "text", what: "a terminal type" },
    otherwise: "none",
    purpose: "Terminal type, passed on to guest terminals. `dumb` turns colours off",
    readers: "commands on a terminal"
  },
  COLUMNS: {
    group: "host",
    allowed: { kind: "text", what: "a number" },
    otherwise: "the columns of the terminal, or 80",
    purpose: "Width of help, within 40 and 100 columns",
    readers: "`--help`"
  },
  ...uiVariables,
  CLAUDE_PROJECT_DIR: {
    group: "host",
    allowed: { kind: "text", what: "a directory" },
    otherwise: "the git work tree of the working directory",
    purpose: "Project of an MCP server that was started without `--project-path`",
    readers: "`pyro mcp serve`"
  },
  OTEL_EXPORTER_OTLP_ENDPOINT: {
    group: "host",
    allowed: { kind: "text", what: "an http or https URL" },
    otherwise: "none: nothing is exported",
    purpose: "OTLP receiver that gets traces, metrics and log lines (`docs/observability.md`)",
    readers: DAEMON
  },
  OTEL_EXPORTER_OTLP_HEADERS: {
    group: "host",
    allowed: { kind: "text", what: "`key=value` pairs, separated by `,`, values percent-encoded" },
    otherwise: "none",
    purpose: "Headers of every request to the OTLP receiver, such as `authorization`",
    readers: DAEMON
  },
  OTEL_EXPORTER_OTLP_PROTOCOL: {
    group: "host",
    allowed: { kind: "text", what: "`http/protobuf` or `http/json`; another value counts as `http/protobuf`" },
    default: "http/protobuf",
    purpose: "Encoding of what is exported",
    readers: DAEMON
  },
  OTEL_SERVICE_NAME: {
    group: "host",
    allowed: { kind: "text", what: "any text" },
    otherwise: "`service.name` of `OTEL_RESOURCE_ATTRIBUTES`, else `pyro`",
    purpose: "Name of the daemon in exported telemetry",
    readers: DAEMON
  },
  OTEL_RESOURCE_ATTRIBUTES: {
    group: "host",
    allowed: { kind: "text", what: "`key=value` pairs, separated by `,`, values percent-encoded" },
    otherwise: "none",
    purpose: "Attributes of the daemon in exported telemetry",
    readers: DAEMON
  },
  OTEL_TRACES_SAMPLER: {
    group: "host",
    allowed: {
      kind: "text",
      what:
        "`always_on`, `always_off`, `traceidratio`, or one of these after `parentbased_`; another value counts as `always_on`"
    },
    default: "parentbased_always_on",
    purpose: "Operations whose spans are exported",
    readers: DAEMON
  },
  OTEL_TRACES_SAMPLER_ARG: {
    group: "host",
    allowed: { kind: "text", what: "a number from 0 to 1" },
    default: "1",
    purpose: "Share of operations of the sampler `traceidratio`",
    readers: DAEMON
  },
  OTEL_METRIC_EXPORT_INTERVAL: {
    group: "host",
    allowed: { kind: "integer", min: 1, max: 86_400_000 },
    unit: "ms",
    default: 60_000,
    purpose: "Time between two exports of metrics",
    readers: DAEMON
  },
  OTEL_BSP_SCHEDULE_DELAY: {
    group: "host",
    allowed: { kind: "integer", min: 1, max: 86_400_000 },
    unit: "ms",
    default: 5_000,
    purpose: "Time between two exports of spans",
    readers: DAEMON
  },
  OTEL_BLRP_SCHEDULE_DELAY: {
    group: "host",
    allowed: { kind: "integer", min: 1, max: 86_400_000 },
    unit: "ms",
    default: 1_000,
    purpose: "Time between two exports of log lines",
    readers: DAEMON
  },
  OTEL_SDK_DISABLED: {
    group: "host",
    allowed: { kind: "text", what: "`true`; another value counts as `false`" },
    default: "false",
    purpose: "`true` turns the export off",
    readers: DAEMON
  },
  PYRO_FAULT: {
    group: "testing",
    allowed: { kind: "text", what: "a fault point" },
    otherwise: "none",
    purpose: "pyro kills its own process (SIGKILL) at this fault point",
    readers: EVERY
  },
  PYRO_FAULT_HALT: {
    group: "testing",
    allowed: { kind: "text", what: "a fault point" },
    otherwise: "none",
    purpose: "pyro stops its own process (SIGSTOP) at this fault point",
    readers: EVERY
  },
  PYRO_FLATTEN_AT: {
    group: "testing",
    allowed: { kind: "integer", min: 2, max: 256 },
    unit: "layers",
    default: 16,
    purpose: "Number of frozen layers of a disk at which pyro merges the older ones",
    readers: DAEMON
  }
} as const satisfies Readonly<Record<string, Variable>>

export type VariableName = keyof typeof variables

/** Whether the daemon has the variable from its start on, whatever later commands have. */
export const isOfDaemon = (name: VariableName): boolean => variables[name].readers.startsWith(DAEMON)

type Value<A extends Allowed> = A extends { readonly choices: ReadonlyArray<infer Choice> } ? Choice
  : A extends { readonly min: number } ? number
  : string

/** Type of a variable's value; undefined only where the variable has no default. */
export type ValueOf<N extends VariableName> =
  | Value<(typeof variables)[N]["allowed"]>
  | ((typeof variables)[N] extends { readonly default: unknown } ? never : undefined)
