import { describe, layer, test } from "@effect/vitest"
import { Context, Effect, Layer, Schedule } from "effect"
import { spawn } from "node:child_process"
import { randomBytes } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type ConnectOptions, GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { openUnixSocket } from "./unix-socket.ts"

const built = fileURLToPath(new URL("../../guest-agent/build", import.meta.url))
/** The agent, built with sanitizers or as it is in a guest. */
const programs = {
  sanitized: join(process.env["PYRO_NATIVE_DIR"] ?? built, "agent-sanitized"),
  guest: join(built, "agent")
}

export const guestBuild = programs.guest
export const sanitizedBuild = programs.sanitized

const isRoot = process.getuid?.() === 0

/** The agent is root in its guest; an ordinary user makes it root of a user namespace. */
export const asRoot = (program: string): readonly [string, ...ReadonlyArray<string>] =>
  isRoot ? [program] : ["unshare", "--user", "--map-root-user", "--map-auto", program]

/** Needs root: the kernel lets no user namespace load BPF. */
const inOwnNetwork = (program: string, as: "privileged" | "unprivileged") => {
  const without = as === "privileged" ? [] : ["setpriv", "--bounding-set=-bpf,-sys_admin"]
  return ["unshare", "--net", "--mount", ...without, program] as const
}

const inOwnMounts = (program: string) =>
  isRoot
    ? ["unshare", "--mount", program] as const
    : ["unshare", "--mount", "--user", "--map-root-user", program] as const

/** The real agent as a local process, listening on a Unix socket. */
export class Agent extends Context.Service<Agent, {
  readonly pid: number
  readonly socketPath: string
  /** A directory for a test's files, gone with the agent. */
  readonly folder: string
  /** In the environment of what `environment` starts; a process that still has it was left behind. */
  readonly mark: string
}>()("pyro/test/Agent") {
  /** A channel to the agent; what other tests left in it is forgotten, unless told otherwise. */
  static readonly connect = (options: Partial<ConnectOptions> & { readonly socketPath?: string } = {}) =>
    Effect.flatMap(
      Agent,
      ({ socketPath }) =>
        GuestChannel.connect({
          open: openUnixSocket(options.socketPath ?? socketPath),
          takeover: true,
          forget: true,
          ...options
        })
    )

  /** Environment for commands of a test. */
  static readonly environment = Effect.map(Agent, ({ mark }) => ["PATH=/usr/local/bin:/usr/bin:/bin", "LC_ALL=C", mark])
}

/** Processes, zombies aside, whose environment holds `mark`. */
export const processesMarked = (mark: string) =>
  readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, "latin1")
      const state = readFileSync(`/proc/${pid}/stat`, "latin1").replace(/^.*\) /, "")[0]
      return environment.split("\0").includes(mark) && state !== "Z" ? [Number(pid)] : []
    } catch {
      return [] // gone meanwhile
    }
  })

/**
 * A socket has its name before anybody takes connections there; `00010000` is the flag of one that does. A network namespace lists its own
 * sockets.
 */
const isListening = (pid: number | undefined, socketPath: string) =>
  readFileSync(`/proc/${pid}/net/unix`, "utf8").split("\n").some((line) =>
    line.includes(" 00010000 ") && line.endsWith(socketPath)
  )

/** Polls until `ready`; for what no event tells. */
export const until = (what: string, ready: () => boolean) =>
  Effect.sync(ready).pipe(
    Effect.repeat({ until: (is) => is, schedule: Schedule.spaced("2 millis") }),
    Effect.timeoutOrElse({ duration: "30 seconds", orElse: () => Effect.fail(new Error(`still waiting: ${what}`)) }),
    Effect.orDie
  )

/**
 * Starts the agent and, at the end, asks it to leave. Dies, and so fails the suite, when it left otherwise than
 * with status 0, when a sanitizer spoke, or when something it ran is still there.
 */
const start = (
  options: {
    readonly emptyRoot?: boolean
    readonly build?: keyof typeof programs
    /** In a network namespace and a mount namespace of its own, where it may steer; `unprivileged`: where the kernel refuses BPF. */
    readonly network?: "privileged" | "unprivileged"
    /** In a mount namespace of its own. */
    readonly mounts?: boolean
  }
) =>
  Effect.gen(function*() {
    const program = programs[options.build ?? "sanitized"]
    if (!existsSync(program)) {
      return yield* Effect.die(new Error("no such build: run make -C guest-agent all sanitized"))
    }
    const [rootCommand, ...rootArgs] = options.mounts === true
      ? inOwnMounts(program)
      : options.network === undefined
      ? asRoot(program)
      : inOwnNetwork(program, options.network)
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "pyro-agent-"))),
      (folder) => Effect.sync(() => rmSync(folder, { recursive: true, force: true }))
    )
    const socketPath = join(folder, "agent.sock")
    const mark = `PYRO_TEST_MARK=${randomBytes(8).toString("hex")}`
    let said = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const root = options.emptyRoot === true ? ["--root", mkdtempSync(join(folder, "root-"))] : []
        // The leak check reads /proc, which an empty root has not; the other suites make it.
        const env = options.emptyRoot === true ? { ASAN_OPTIONS: "detect_leaks=0" } : {}
        const network = options.network === undefined ? [] : ["--network"]
        const child = spawn(rootCommand, [...rootArgs, "--listen", socketPath, ...root, ...network], {
          env,
          stdio: ["ignore", "pipe", "pipe"]
        })
        for (const stream of [child.stdout, child.stderr]) {
          stream.on("data", (bytes: Buffer) => said += bytes.toString())
        }
        return child
      }),
      (child) =>
        Effect.gen(function*() {
          if (child.exitCode === null && child.signalCode === null) {
            child.kill("SIGTERM")
            yield* Effect.callback<void>((resume) => {
              child.once("close", () => resume(Effect.void))
            }).pipe(
              Effect.timeout("10 seconds"),
              Effect.interruptible,
              Effect.catch(() => Effect.sync(() => child.kill("SIGKILL")))
            )
          }
          const how = child.signalCode ?? child.exitCode
          if (how !== 0) return yield* Effect.die(new Error(`the agent ended with ${how}:\n${said}`))
          if (/Sanitizer|runtime error/.test(said)) return yield* Effect.die(new Error(said))
          const left = processesMarked(mark)
          if (left.length > 0) {
            return yield* Effect.die(new Error(`the agent left processes behind: ${left.join(", ")}`))
          }
        })
    )
    yield* until("the agent's socket", () => child.exitCode !== null || isListening(child.pid, socketPath))
    if (child.pid === undefined || child.exitCode !== null) {
      return yield* Effect.die(new Error(`the agent did not start: ${said}`))
    }
    return { pid: child.pid, socketPath, folder, mark }
  })

/** A further agent, for what two guests tell. */
export const anotherAgent = start({})

/** Runs a suite against one agent. Real processes need the real clock. */
export const withAgent = layer(Layer.effect(Agent, start({})), { excludeTestServices: true })

/** The same against the build that guests run: it parks a child for the next command, which a sanitizer's cannot. */
export const withGuestBuild = layer(Layer.effect(Agent, start({ build: "guest" })), { excludeTestServices: true })

const skipped = ((suite: unknown) =>
  describe.skip(String(suite), () => {
    test("skipped: the kernel lets only root load BPF", () => {})
  })) as typeof withAgent

/** A suite that an ordinary user skips. */
function onlyRoot(suite: typeof withAgent) {
  return isRoot ? suite : skipped
}

/** The same in a network namespace of its own, for what the guest's programs ask the network for. */
export const withNetworkAgent = onlyRoot(
  layer(Layer.effect(Agent, start({ network: "privileged" })), { excludeTestServices: true })
)

/** The same where the kernel refuses what steering needs. */
export const withUnprivilegedNetworkAgent = onlyRoot(
  layer(Layer.effect(Agent, start({ network: "unprivileged" })), { excludeTestServices: true })
)

/** The same where commands may mount, which the host does not see. */
export const withMounts = layer(Layer.effect(Agent, start({ mounts: true })), { excludeTestServices: true })

/** The same in a root directory of its own without anything in it: for frames that may name any file. */
export const withConfinedAgent = layer(Layer.effect(Agent, start({ emptyRoot: true })), { excludeTestServices: true })
