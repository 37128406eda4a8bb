import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Fiber, Option, Queue, Scope, Stream } from "effect"
import { Duplex } from "node:stream"
import ssh2 from "ssh2"
import { makeKey, type SshKey } from "../../../../../src/lib/ssh/keys.ts"
import { serveSsh } from "../../../../../src/lib/ssh/serve.ts"
import { lapse } from "../../../../support/until.ts"
import { localGuest } from "./local-guest.ts"

interface Asked {
  readonly clientKey?: SshKey
  readonly username?: string
}

/** A served connection, and a client of it that has logged in. */
const connected = ({ clientKey: given, username = "root" }: Asked = {}) =>
  Effect.gen(function*() {
    const [hostKey, clientKey] = [makeKey("host"), makeKey("client")]
    const input = yield* Queue.unbounded<Uint8Array>()
    const guest = localGuest()
    const opened: Array<string> = []
    const scope = yield* Scope.fork(yield* Effect.scope)
    const { pull } = yield* serveSsh({
      hostKey: hostKey.privateText,
      clientKey: clientKey.publicLine,
      guest,
      input: Stream.fromQueue(input),
      opened: (user) => Effect.sync(() => void opened.push(user))
    }).pipe(Scope.provide(scope))
    const sock = new Duplex({
      read: () => {},
      write: (bytes: Uint8Array, _encoding, done) => {
        Queue.offerUnsafe(input, new Uint8Array(bytes))
        done()
      }
    })
    const passing = yield* Effect.gen(function*() {
      const bytes = yield* pull()
      sock.push(bytes)
    }).pipe(
      Effect.forever,
      Effect.catch(() => Effect.sync(() => sock.push(null))),
      Effect.forkScoped
    )
    const client = new ssh2.Client()
    const served = { client, guest, opened, pull, leave: Scope.close(scope, Exit.void), passing }
    return yield* Effect.callback<typeof served, Error>((resume) => {
      client.on("ready", () => resume(Effect.succeed(served)))
      client.on("error", (error) => resume(Effect.fail(error)))
      client.connect({
        sock,
        username,
        privateKey: (given ?? clientKey).privateText,
        hostVerifier: (key: Buffer) => hostKey.publicLine.endsWith(key.toString("base64"))
      })
    })
  })

interface Ran {
  readonly stdout: string
  readonly stderr: string
  readonly code: number | null
  readonly signal: string | undefined
}

const finish = (channel: ssh2.ClientChannel, input: Buffer | string | "open" = "") =>
  Effect.callback<Ran>((resume) => {
    const got = { stdout: "", stderr: "" }
    let end: Pick<Ran, "code" | "signal"> = { code: null, signal: undefined }
    channel.on("data", (bytes: Buffer) => void (got.stdout += bytes.toString("latin1")))
    channel.stderr.on("data", (bytes: Buffer) => void (got.stderr += bytes.toString("latin1")))
    channel.on("exit", (code: number | null, signal?: string) => void (end = { code, signal }))
    channel.on("close", () => resume(Effect.succeed({ ...got, ...end })))
    // The library sends no signal to a program whose input it has ended.
    if (input !== "open") channel.end(input)
  })

const exec = (client: ssh2.Client, command: string, options: ssh2.ExecOptions = {}) =>
  Effect.callback<ssh2.ClientChannel, Error>((resume) => {
    client.exec(
      command,
      options,
      (error, channel) => resume(error === undefined ? Effect.succeed(channel) : Effect.fail(error))
    )
  })

const run = (client: ssh2.Client, command: string, input?: Buffer | string, options?: ssh2.ExecOptions) =>
  Effect.flatMap(exec(client, command, options), (channel) => finish(channel, input))

const forwarded = (client: ssh2.Client, host: string, port: number) =>
  Effect.callback<ssh2.ClientChannel, Error>((resume) => {
    client.forwardOut(
      "127.0.0.1",
      1,
      host,
      port,
      (error, channel) => resume(error === undefined ? Effect.succeed(channel) : Effect.fail(error))
    )
  })

describe("an SSH connection", () => {
  it.live("a command has its input, its outputs and its exit status", () =>
    Effect.gen(function*() {
      const { client, opened } = yield* connected()
      assert.deepStrictEqual(yield* run(client, "cat; echo error >&2; exit 7", "input"), {
        stdout: "input",
        stderr: "error\n",
        code: 7,
        signal: undefined
      })
      assert.deepStrictEqual(yield* run(client, "kill -TERM $$"), {
        stdout: "",
        stderr: "",
        code: null,
        signal: "SIGTERM"
      })
      assert.deepStrictEqual(opened, ["root"])
    }))

  it.live("several programs run at once, and 4 MiB pass through each in both directions", () =>
    Effect.gen(function*() {
      const { client } = yield* connected()
      const bytes = Buffer.alloc(4 * 1024 * 1024, "0123456789abcdef")
      const all = yield* Effect.all([1, 2, 3].map(() => run(client, "cat", bytes)), { concurrency: 3 })
      for (const { code, stdout } of all) {
        assert.strictEqual(code, 0)
        assert.isTrue(bytes.equals(Buffer.from(stdout, "latin1")))
      }
    }))

  it.live("a client that reads nothing stops the program, and not the others", () =>
    Effect.gen(function*() {
      const { client, guest } = yield* connected()
      const channel = yield* exec(client, "head -c 200000000 /dev/zero")
      channel.pause()
      assert.strictEqual((yield* run(client, "echo still here")).stdout, "still here\n")
      yield* lapse(300)
      const passed = guest.outputBytes()
      assert.isBelow(passed, 20_000_000)
      assert.strictEqual((yield* run(client, "echo still here")).stdout, "still here\n")
      channel.close()
    }))

  it.live("variables of the client reach the program, except the locale", () =>
    Effect.gen(function*() {
      const { client, guest } = yield* connected()
      yield* run(client, "true", "", { env: { LANG: "de_DE", LC_ALL: "de_DE", EDITOR: "vi", "A-B": "x" } })
      assert.deepStrictEqual({ ...guest.programs.at(-1)!.env }, { EDITOR: "vi" })
    }))

  it.live("a terminal has the client's size, also a later one", () =>
    Effect.gen(function*() {
      const { client, guest } = yield* connected()
      const channel = yield* Effect.callback<ssh2.ClientChannel, Error>((resume) => {
        client.shell({ rows: 40, cols: 132, term: "xterm-256color" }, (error, opened) =>
          resume(error === undefined ? Effect.succeed(opened) : Effect.fail(error)))
      })
      channel.setWindow(50, 150, 0, 0)
      const { code } = yield* finish(channel, "exit 3\n")
      assert.strictEqual(code, 3)
      assert.deepStrictEqual(guest.programs.at(-1)!.pty, { rows: 40, cols: 132, type: "xterm-256color" })
      assert.deepStrictEqual(guest.resizes, [{ rows: 50, cols: 150 }])
    }))

  it.live("a signal of the client reaches the program", () =>
    Effect.gen(function*() {
      const { client } = yield* connected()
      const channel = yield* exec(client, "trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done")
      channel.once("data", () => channel.signal("INT"))
      const { code, stdout } = yield* finish(channel, "open")
      assert.deepStrictEqual([code, stdout], [5, "ready\ncaught\n"])
    }))

  it.live("another key, another method and an odd user are refused", () =>
    Effect.gen(function*() {
      for (
        const asked of [{ clientKey: makeKey("another") }, { username: "a b" }, { username: "-oops" }, { username: "" }]
      ) {
        const failure = yield* Effect.flip(Effect.scoped(connected(asked)))
        assert.include(String(failure), "authentication", JSON.stringify(asked))
      }
    }))

  it.live("a port of the guest is reached, and another host and a closed port are not", () =>
    Effect.gen(function*() {
      const { client, guest } = yield* connected()
      const port = yield* guest.echoServer
      const channel = yield* forwarded(client, "localhost", port)
      assert.strictEqual((yield* finish(channel, "through")).stdout, "through")
      for (const [host, to] of [["example.com", port], ["localhost", 1]] as const) {
        assert.include(String(yield* Effect.flip(forwarded(client, host, to))), "open failure")
      }
    }))

  it.live("a listener on the client's side, an agent and an unknown subsystem are refused", () =>
    Effect.gen(function*() {
      const { client } = yield* connected()
      const listening = Effect.callback<number, Error>((resume) => {
        client.forwardIn(
          "127.0.0.1",
          0,
          (error, port) => resume(error === undefined ? Effect.succeed(port) : Effect.fail(error))
        )
      })
      assert.include(String(yield* Effect.flip(listening)), "Unable to bind")
      const subsystem = Effect.callback<unknown, Error>((resume) => {
        client.subsys("netconf", (error) => resume(error === undefined ? Effect.void : Effect.fail(error)))
      })
      assert.include(String(yield* Effect.flip(subsystem)), "subsystem")
    }))

  it.live("sizes beyond a terminal's become its largest, and 10,000 sizes reach the program in order", () =>
    Effect.gen(function*() {
      const { client, guest } = yield* connected()
      const most = 0xffff_ffff
      const channel = yield* exec(client, "cat", {
        pty: { rows: most, cols: 70_000, height: most, width: most, term: "xterm" }
      })
      const ended = yield* Effect.forkChild(finish(channel, "open"))
      assert.deepStrictEqual(guest.programs.at(-1)!.pty, { rows: 65_535, cols: 65_535, type: "xterm" })
      for (let number = 1; number <= 10_000; number++) channel.setWindow(number, most, most, most)
      channel.setWindow(65_536, 3, 0, 0)
      // Answered after all sizes.
      assert.strictEqual((yield* run(client, "echo here")).stdout, "here\n")
      assert.lengthOf(guest.resizes, 10_001)
      assert.deepStrictEqual(guest.resizes[0], { rows: 1, cols: 65_535 })
      assert.deepStrictEqual(guest.resizes.at(-1), { rows: 65_535, cols: 3 })
      channel.end()
      yield* Fiber.join(ended)
    }))

  it.live("the end of the connection hangs up its programs, and leaves what runs in the background", () =>
    Effect.gen(function*() {
      const { client, guest, leave } = yield* connected()
      const channel = yield* exec(client, "setsid sleep 30 >/dev/null 2>&1 & echo $!; exec sleep 1000")
      const background = yield* Effect.callback<number>((resume) => {
        channel.once("data", (bytes: Buffer) => resume(Effect.succeed(Number(bytes.toString()))))
      })
      yield* leave
      const ended = guest.running()
      assert.strictEqual(ended, 0)
      assert.isTrue(process.kill(background, 0))
      process.kill(background)
    }))

  it.live("the end of the connection leaves a server that a shell has started in its own group, without nohup", () =>
    Effect.gen(function*() {
      const { client, guest, leave } = yield* connected()
      const channel = yield* exec(client, "sh")
      channel.write("sleep 30 >/dev/null 2>&1 & echo $!\n")
      const server = yield* Effect.callback<number>((resume) => {
        channel.once("data", (bytes: Buffer) => resume(Effect.succeed(Number(bytes.toString()))))
      })
      yield* leave
      assert.strictEqual(guest.running(), 0)
      assert.isTrue(process.kill(server, 0))
      process.kill(server)
    }))

  it.live("bytes that are no SSH end the connection, and nothing else", () =>
    Effect.gen(function*() {
      const key = makeKey("host")
      for (
        const bytes of [
          "GET / HTTP/1.1\r\n\r\n",
          "SSH-2.0-x\r\n" + "\0".repeat(200),
          "SSH-2.0-x\r\n\xff\xff\xff\xff" + "a".repeat(100)
        ]
      ) {
        const { pull } = yield* serveSsh({
          hostKey: key.privateText,
          clientKey: key.publicLine,
          guest: localGuest(),
          input: Stream.make(Buffer.from(bytes, "latin1")),
          opened: () => Effect.die("nobody logs in")
        })
        const exit = yield* Effect.exit(Effect.forever(pull()))
        assert.deepStrictEqual(exit, Exit.fail(Option.none()))
      }
    }))
})
