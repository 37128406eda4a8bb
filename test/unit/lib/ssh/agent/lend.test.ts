import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Fiber, type Scope, Stream } from "effect"
import { execFile, execFileSync, spawn } from "node:child_process"
import { createHmac } from "node:crypto"
import * as fs from "node:fs"
import { connect } from "node:net"
import * as os from "node:os"
import * as path from "node:path"
import ssh2 from "ssh2"
import { keysIn } from "../../../../../src/lib/ssh/agent/known-hosts.ts"
import { makeKey } from "../../../../../src/lib/ssh/keys.ts"
import { lend, type LendOptions, useText } from "../../../../../src/lib/ssh/lend-agent.ts"
import { nativeDirectory } from "../../../../../src/system/processes/native.ts"
import { untilTrue } from "../../../../support/until.ts"

const folder = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(path.join(os.tmpdir(), "pyro-lend-"))),
  (made) => Effect.sync(() => fs.rmSync(made, { recursive: true }))
)

/** An agent with one key, and a server that takes this key and prints a word. */
const world = Effect.gen(function*() {
  const place = yield* folder
  const agent = path.join(place, "agent")
  const daemon = yield* Effect.acquireRelease(
    Effect.sync(() => spawn("ssh-agent", ["-D", "-a", agent], { stdio: "ignore" })),
    (child) => Effect.sync(() => child.kill())
  )
  yield* Effect.promise(async () => {
    await untilTrue(() => fs.existsSync(agent))
  })
  assert.isNull(daemon.exitCode)
  const person = makeKey("person")
  fs.writeFileSync(`${place}/key`, person.privateText, { mode: 0o600 })
  execFileSync("ssh-add", ["-q", `${place}/key`], { env: { ...process.env, SSH_AUTH_SOCK: agent }, stdio: "ignore" })
  fs.rmSync(`${place}/key`)
  const serve = (hostKey: string) =>
    Effect.acquireRelease(
      Effect.callback<ssh2.Server>((resume) => {
        const server = new ssh2.Server({ hostKeys: [hostKey] }, (client) => {
          client.on("error", () => {})
          client.on("authentication", (context) =>
            context.method === "publickey" ? context.accept() : context.reject(["publickey"]))
          client.on("session", (accept) => {
            accept().on("exec", (take) => {
              const channel = take()
              channel.write("logged in\n")
              channel.exit(0)
              channel.end()
            })
          })
        })
        server.listen(0, "127.0.0.1", () =>
          resume(Effect.succeed(server)))
      }),
      (server) => Effect.sync(() => server.close())
    ).pipe(Effect.map((server) => (server.address() as { readonly port: number }).port))
  return { agent, place, serve }
})

/** The socket that a guest's programs have, with the guest's end as a process of this host. */
const lent = (
  place: string,
  { hosts, ...options }:
    & Pick<LendOptions, "agent">
    & { readonly hosts: ReturnType<LendOptions["hosts"]> }
    & Partial<Omit<LendOptions, "hosts">>
): Effect.Effect<{ readonly socket: string; readonly said: ReadonlyArray<string> }, never, Scope.Scope> =>
  Effect.gen(function*() {
    const socket = path.join(place, "lent")
    const said: Array<string> = []
    const program = path.join(nativeDirectory(), "pyro-ssh-sanitized")
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        spawn(program, ["agent", socket, os.userInfo().username], { stdio: ["pipe", "pipe", "inherit"] })
      ),
      (process) => Effect.sync(() => process.kill("SIGKILL"))
    )
    child.stdin.on("error", () => {})
    let isListening = () => {}
    const listening = new Promise<void>((resolve) => (isListening = resolve))
    const loan = yield* lend({
      allows: () => Effect.succeed(true),
      tell: (use) => Effect.sync(() => void said.push(useText(use))),
      hosts: () => hosts,
      ...options
    }, Effect.sync(isListening))
    yield* Effect.forkScoped(
      Stream.runForEach(loan.answers, (bytes) => Effect.sync(() => void child.stdin.write(bytes)))
    )
    child.stdout.on("data", (bytes: Buffer) => void Effect.runFork(loan.take(bytes)))
    yield* Effect.promise(() => listening)
    return { socket, said }
  })

/** What a program says that has the socket. */
const using = (socket: string, program: string, ...args: ReadonlyArray<string>) =>
  Effect.callback<string>((resume) => {
    const child = execFile(
      program,
      [...args],
      { env: { ...process.env, SSH_AUTH_SOCK: socket } },
      (_, stdout, stderr) => resume(Effect.succeed(stdout + stderr))
    )
    return Effect.sync(() => void child.kill())
  })

const login = (place: string, socket: string, port: number) =>
  using(
    socket,
    "ssh",
    ...["-F", "none", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes"],
    ...["-o", `UserKnownHostsFile=${place}/hosts-of-guest`, "-p", String(port), "git@127.0.0.1", "push"]
  )

/** The type of the answer to one raw message, and the loan's answers to several on one connection. */
const ask = (socket: string, ...messages: ReadonlyArray<Buffer>) =>
  Effect.callback<ReadonlyArray<number>>((resume) => {
    const client = connect(socket)
    const types: Array<number> = []
    let waiting = Buffer.alloc(0)
    client.on("data", (bytes: Buffer) => {
      waiting = Buffer.concat([waiting, bytes])
      while (waiting.length >= 5 && waiting.length >= 4 + waiting.readUInt32BE()) {
        types.push(waiting[4]!)
        waiting = waiting.subarray(4 + waiting.readUInt32BE())
      }
      if (types.length === messages.length) client.end()
    })
    client.on("error", () => {})
    client.on("close", () => resume(Effect.succeed(types)))
    for (const message of messages) {
      const length = Buffer.alloc(4)
      length.writeUInt32BE(message.length)
      client.write(Buffer.concat([length, message]))
    }
  })

const keyOf = (line: string) => line.split(" ")[1]!

describe("a lent SSH agent", () => {
  it.live("OpenSSH logs in to a named host, whatever the kind of the host's key", () =>
    Effect.gen(function*() {
      const { agent, place, serve } = yield* world
      for (const kind of [["ed25519"], ["ecdsa", "-b", "256"], ["ecdsa", "-b", "521"], ["rsa", "-b", "2048"]]) {
        const file = `${place}/${kind.join("")}`
        execFileSync("ssh-keygen", ["-q", "-t", ...kind, "-N", "", "-m", "PEM", "-f", file])
        const port = yield* serve(fs.readFileSync(file, "utf8"))
        const hosts = new Map([["server", new Set([keyOf(fs.readFileSync(`${file}.pub`, "utf8"))])]])
        const { said, text } = yield* Effect.scoped(Effect.gen(function*() {
          const { said, socket } = yield* lent(place, { agent, hosts })
          return { said, text: yield* login(place, socket, port) }
        }))
        assert.include(text, "logged in", kind.join(" "))
        assert.match(said.join(), /^signs a login as git to server with SHA256:/)
      }
    }))

  it.live("another host, a person who refuses, and an agent that is gone allow no login", () =>
    Effect.gen(function*() {
      const { agent, place, serve } = yield* world
      const [mine, other] = [makeKey("server"), makeKey("other")]
      const port = yield* serve(mine.privateText)
      const hosts = (line: string) => new Map([["server", new Set([keyOf(line)])]])
      const cases = [
        [{ agent, hosts: hosts(other.publicLine) }, "refuses a host that the agent is not lent for"],
        [{ agent, hosts: hosts(mine.publicLine), allows: () => Effect.succeed(false) }, ""],
        [{ agent: "/nowhere", hosts: hosts(mine.publicLine) }, "because your agent does not answer"],
        [{ agent, hosts: hosts(mine.publicLine), mayAsk: () => false }, "because your agent does not answer"]
      ] as const
      for (const [options, expected] of cases) {
        const { said, text } = yield* Effect.scoped(Effect.gen(function*() {
          const { said, socket } = yield* lent(place, options)
          return { said, text: yield* login(place, socket, port) }
        }))
        assert.include(text, "Permission denied")
        assert.include(said.join(), expected)
        assert.notInclude(said.join(), "signs")
      }
    }))

  it.live("a guest can neither sign a text, nor change the agent, nor break the loan", () =>
    Effect.gen(function*() {
      const { agent, place } = yield* world
      const { said, socket } = yield* lent(place, { agent, hosts: new Map() })
      const listed = yield* using(socket, "ssh-add", "-L")
      assert.match(listed, /^ssh-ed25519 \S+ person\n$/)
      fs.writeFileSync(`${place}/person.pub`, listed)
      fs.writeFileSync(`${place}/text`, "text")
      const files = [`${place}/person.pub`, `${place}/text`] as const
      const signed = yield* using(socket, "ssh-keygen", "-Y", "sign", "-n", "git", "-f", ...files)
      assert.include(signed, "refused")
      // Add, remove one, remove all, lock, unlock, a smart card's, an unknown one; malformed ones.
      const types = [17, 18, 19, 22, 23, 20, 26, 200, 13, 27, 11].map((type) => Buffer.from([type, 1]))
      assert.deepStrictEqual(yield* ask(socket, ...types), types.map(() => 5))
      assert.isTrue(said.every((sentence) => sentence.startsWith("refuses")))
      assert.deepStrictEqual(yield* ask(socket, Buffer.from([11])), [12])
      const tooLong = Buffer.alloc(300_000)
      assert.deepStrictEqual(yield* ask(socket, tooLong), [])
      assert.deepStrictEqual(yield* ask(socket, Buffer.from([11])), [12])
    }))
})

describe("a question about a login", () => {
  it.live("ends with the program that asked", () =>
    Effect.gen(function*() {
      const { agent, place, serve } = yield* world
      const key = makeKey("server")
      const port = yield* serve(key.privateText)
      const asked = yield* Deferred.make<void>()
      const left = yield* Deferred.make<void>()
      const { socket } = yield* lent(place, {
        agent,
        hosts: new Map([["server", new Set([keyOf(key.publicLine)])]]),
        allows: (_, gone) =>
          Deferred.succeed(asked, undefined).pipe(
            Effect.andThen(gone),
            Effect.andThen(Deferred.succeed(left, undefined)),
            Effect.as(false)
          )
      })
      const program = yield* Effect.forkChild(login(place, socket, port))
      yield* Deferred.await(asked)
      yield* Fiber.interrupt(program)
      yield* Deferred.await(left)
    }))
})

describe("the keys of a host in known_hosts", () => {
  it("plain, listed, hashed and ported names have keys; wildcards, authorities and revoked keys have none", () => {
    const salt = Buffer.from("01234567890123456789")
    const hashed = `|1|${salt.toString("base64")}|${createHmac("sha1", salt).update("hashed.example").digest("base64")}`
    const text = [
      "# comment",
      "",
      "github.com,140.82.121.4 ssh-ed25519 AAAA1 comment",
      "GitHub.com ssh-rsa AAAA2",
      "[git.example]:2222 ssh-ed25519 AAAA3",
      `${hashed} ssh-ed25519 AAAA4`,
      "*.com ssh-ed25519 AAAA5",
      "@cert-authority github.com ssh-ed25519 AAAA6",
      "github.com ssh-ed25519 AAAA7",
      "@revoked * ssh-ed25519 AAAA7",
      "!github.com,github.com ssh-ed25519 AAAA8",
      "broken"
    ].join("\n")
    assert.deepStrictEqual([...keysIn(text, "github.com")], ["AAAA1", "AAAA2"])
    assert.deepStrictEqual([...keysIn(text, "[git.example]:2222")], ["AAAA3"])
    assert.deepStrictEqual([...keysIn(text, "hashed.example")], ["AAAA4"])
    assert.deepStrictEqual([...keysIn(text, "other.com")], [])
  })
})
