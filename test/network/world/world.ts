import { Deferred, Effect, type Scope } from "effect"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { createInterface } from "node:readline"
import { resolvConf } from "../../support/network/resolv-conf.ts"
import { bundled, bundleDialProgram, linkBuilt } from "../../support/package/bundled.ts"

const RESOLVER = "203.0.113.53"

/** What the servers outside saw. */
export type Seen =
  | { readonly _tag: "Question"; readonly name: string; readonly type: number; readonly over: "udp" | "tcp" }
  | { readonly _tag: "Connection"; readonly address: string; readonly port: number }
  | { readonly _tag: "Closed" }
  | { readonly _tag: "Proxy"; readonly target: string; readonly host: string; readonly credentials: string }

export interface Result {
  readonly reason?: string
  readonly detail?: string
  readonly remedy?: { readonly field: string; readonly rule?: string }
  readonly address?: string
  readonly viaProxy?: boolean
  readonly text?: string
  readonly answer?: string
  readonly records?: string
  readonly count?: number
  readonly denied?: string
  readonly error?: string
}

/** A host with a network of its own. */
export interface World {
  readonly ask: (request: Readonly<Record<string, unknown>>) => Effect.Effect<Result>
  readonly seen: ReadonlyArray<Seen>
  /** Process of the daemon's part. */
  readonly host: ChildProcess
  /** Changes the host's network: arguments of `ip`. */
  readonly ip: (...args: ReadonlyArray<string>) => Effect.Effect<void>
}

/** Bundles the programs of the world. */
const bundle = async (folder: string) => {
  await bundleDialProgram(folder)
  linkBuilt(folder)
  for (const name of ["host", "outside"]) {
    await bundled(path.join(import.meta.dirname, `${name}.ts`), path.join(folder, `${name}.mjs`))
  }
}

const temporaryFolder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-network-"))),
  (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true, force: true }))
)

/** An ordinary user makes both networks in one user namespace, so that each may change the other. */
const isRoot = process.getuid!() === 0
const outsideUser = isRoot ? [] : ["--user", "--map-root-user"]
const hostUser = (outside: ChildProcess) =>
  isRoot ? [] : ["nsenter", "--target", String(outside.pid), "--user", "--preserve-credentials", "--"]

/** A process in namespaces of its own, whose stdout has JSON lines. The namespaces end with it. */
const inNamespaces = (
  args: ReadonlyArray<string>,
  onLine: (line: unknown) => void,
  options: { readonly before?: ReadonlyArray<string>; readonly unshare?: ReadonlyArray<string> }
) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { before = [], unshare = [] } = options
      const [program, ...rest] = [
        ...before,
        "unshare",
        ...unshare,
        "--net",
        "--mount",
        "--propagation",
        "private",
        ...args
      ]
      const child = spawn(program!, rest, {
        stdio: ["pipe", "pipe", "inherit"]
      })
      createInterface(child.stdout).on("line", (line) => onLine(JSON.parse(line)))
      return child
    }),
    (child) =>
      Effect.callback<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) return resume(Effect.void)
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  )

/** Makes a host and what is around it. `dual`: with IPv6. `ipv4`: without. `stub`: its resolver is on loopback. `unplugged`: no network. */
export const makeWorld = (
  { env = {}, hosts = "", kind }: {
    readonly kind: "dual" | "ipv4" | "stub" | "unplugged"
    readonly hosts?: string
    readonly env?: Readonly<Record<string, string>>
  }
): Effect.Effect<World, never, Scope.Scope> =>
  Effect.gen(function*() {
    const folder = yield* temporaryFolder
    yield* Effect.promise(() => bundle(folder))
    const put = (name: string, text: string) => {
      fs.writeFileSync(path.join(folder, name), text)
      return path.join(folder, name)
    }
    const resolv = put(
      "resolv.conf",
      resolvConf(kind === "stub" ? "127.0.0.53" : RESOLVER)
    )
    const hostsFile = put("hosts", `127.0.0.1 localhost\n${hosts}`)
    const seen: Array<Seen> = []
    const listening = yield* Deferred.make<void>()
    const outside = yield* inNamespaces(
      [
        "sh",
        path.join(import.meta.dirname, "outside.sh"),
        process.execPath,
        path.join(folder, "outside.mjs"),
        RESOLVER
      ],
      (line) => {
        const event = line as Seen | { readonly _tag: "Ready" }
        if (event._tag === "Ready") Deferred.doneUnsafe(listening, Effect.void)
        else seen.push(event)
      },
      { unshare: outsideUser }
    )
    yield* Deferred.await(listening)
    const answers = new Map<number, (value: Result) => void>()
    const ready = new Promise<Result>((resolve) => answers.set(0, resolve))
    const environment = ["HTTP", "HTTPS", "ALL", "NO"].flatMap((
      name
    ) => [`${name}_PROXY=`, `${name.toLowerCase()}_proxy=`])
    const host = yield* inNamespaces(
      [
        "sh",
        path.join(import.meta.dirname, "world.sh"),
        String(outside.pid),
        resolv,
        hostsFile,
        kind,
        "env",
        ...environment,
        ...Object.entries(env).map(([name, value]) => `${name}=${value}`),
        process.execPath,
        path.join(folder, "host.mjs")
      ],
      (line) => {
        const { id, value } = line as { readonly id: number; readonly value: Result }
        answers.get(id)?.(value)
        answers.delete(id)
      },
      { before: hostUser(outside) }
    )
    yield* Effect.promise(() => ready)
    let lastId = 0
    return {
      seen,
      host,
      ip: (...args) =>
        Effect.sync(() => {
          const user = isRoot ? [] : ["--user", "--preserve-credentials"]
          execFileSync("nsenter", ["--target", String(host.pid), ...user, "--net", "--", "ip", ...args])
        }),
      ask: (request) =>
        Effect.callback<Result>((resume) => {
          const id = (lastId += 1)
          answers.set(id, (value) => resume(Effect.succeed(value)))
          host.stdin!.write(`${JSON.stringify({ id, ...request })}\n`)
        })
    }
  })
