import { assert } from "@effect/vitest"
import { Effect, Fiber, Stream } from "effect"
import { execFileSync } from "node:child_process"
import { createHash, randomBytes } from "node:crypto"
import {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync
} from "node:fs"
import { createServer } from "node:net"
import { setAttribute } from "../support/files/attributes.ts"
import { Agent, until, withAgent } from "./agent.ts"

const sha = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex")
const whole = <E, R>(bytes: Stream.Stream<Uint8Array, E, R>) => Effect.map(Stream.runCollect(bytes), Buffer.concat)

withAgent("files", (it) => {
  it.effect("the agent reads files whole, from an offset, and up to a limit", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder: root } = yield* Agent
      const content = randomBytes(5_000_000)
      writeFileSync(`${root}/large`, content)
      assert.strictEqual(sha(yield* whole(channel.read({ root, path: "large" }))), sha(content))
      const part = yield* whole(channel.read({ root, path: "large", offset: 4_000_000, limit: 70_000 }))
      assert.isTrue(part.equals(content.subarray(4_000_000, 4_070_000)))
      writeFileSync(`${root}/empty`, "")
      assert.strictEqual((yield* whole(channel.read({ root, path: "empty" }))).length, 0)
      const beginning = yield* Stream.runHead(channel.read({ root, path: "large" }))
      assert.strictEqual(beginning._tag, "Some")
    }))

  it.effect("the agent writes a whole file or nothing", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder: root } = yield* Agent
      mkdirSync(`${root}/w`)
      const pieces = [randomBytes(10), randomBytes(300_000), randomBytes(1_000_000)]
      const content = Buffer.concat(pieces)
      yield* channel.write({ root, path: "w/new/file", mode: 0o600, createParents: true }, Stream.fromIterable(pieces))
      assert.isTrue(readFileSync(`${root}/w/new/file`).equals(content))
      assert.strictEqual(statSync(`${root}/w/new/file`).mode & 0o7777, 0o600)
      const exclusive = channel.write(
        { root, path: "w/new/file", mode: 0o600, exclusive: true },
        Stream.make(Buffer.from("x"))
      )
      assert.include((yield* Effect.flip(exclusive)).message, "EEXIST")
      yield* channel.write({ root, path: "w/new/file", mode: 0o600, append: true }, Stream.make(Buffer.from("end")))
      assert.isTrue(readFileSync(`${root}/w/new/file`).equals(Buffer.concat([content, Buffer.from("end")])))
      const broken = Stream.concat(Stream.make(randomBytes(100_000)), Stream.fail("the source broke" as const))
      assert.strictEqual(
        yield* Effect.flip(channel.write({ root, path: "w/half", mode: 0o600 }, broken)),
        "the source broke"
      )
      yield* until("what was half written is gone", () => readdirSync(`${root}/w`).length === 1)
      assert.deepStrictEqual(readdirSync(`${root}/w`), ["new"])
      assert.deepStrictEqual(readdirSync(`${root}/w/new`), ["file"])
    }))

  it.effect("the agent reaches no file outside its root", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const root = `${folder}/inside`
      mkdirSync(root)
      writeFileSync(`${folder}/secret`, "secret")
      symlinkSync("../secret", `${root}/link`)
      symlinkSync("..", `${root}/up`)
      symlinkSync("/etc/passwd", `${root}/absolute`)
      for (const path of ["../secret", "link", "up/secret", "absolute", "/../secret"]) {
        const read = yield* Effect.exit(whole(channel.read({ root, path })))
        assert.strictEqual(read._tag, "Failure", path)
      }
      const out = yield* Effect.flip(whole(channel.read({ root, path: "../secret" })))
      assert.include(out.message, "EXDEV")
      for (const path of ["../new", "up/new", "link"]) {
        yield* Effect.flip(channel.write({ root, path, mode: 0o600 }, Stream.make(Buffer.from("x"))))
      }
      assert.isFalse(existsSync(`${folder}/new`))
      assert.strictEqual(readFileSync(`${folder}/secret`, "utf8"), "secret")
      const missing = yield* Effect.flip(whole(channel.read({ root, path: "missing" })))
      assert.include(missing.message, "ENOENT")
    }))

  it.effect("the agent lists files with all their metadata", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const { folder } = yield* Agent
      const root = `${folder}/tree`
      mkdirSync(`${root}/d/e`, { recursive: true })
      writeFileSync(`${root}/d/file`, "12345")
      linkSync(`${root}/d/file`, `${root}/d/e/hard`)
      symlinkSync("../away", `${root}/d/link`)
      writeFileSync(Buffer.from(`${root}/\xff\n`, "latin1"), "")
      for (let i = 0; i < 2_000; i++) writeFileSync(`${root}/d/e/${"n".repeat(100)}${i}`, "")
      const entries = yield* Stream.runCollect(channel.walk({ root, path: "." }))
      const byPath = new Map(entries.map((entry) => [Buffer.from(entry.path).toString("latin1"), entry]))
      const found = (path: string) => byPath.get(path) ?? byPath.get(`./${path}`)
      assert.isAtLeast(entries.length, 2_006)
      assert.isDefined(found("\xff\n"))
      const file = found("d/file")
      const stat = statSync(`${root}/d/file`, { bigint: true })
      assert.deepStrictEqual(
        [file?.type, file?.size, file?.nlink, file?.ino, file?.mtimeNs, file?.ctimeNs, (file?.mode ?? 0) & 0o7777],
        ["file", 5, 2, stat.ino, stat.mtimeNs, stat.ctimeNs, Number(stat.mode & 0o7777n)]
      )
      assert.strictEqual(Buffer.from(found("d/link")?.linkTarget ?? []).toString(), "../away")
      assert.deepStrictEqual([found("d/link")?.type, found("d")?.type], ["symlink", "directory"])
      const shallow = yield* Stream.runCollect(channel.walk({ root, path: ".", maxDepth: 1 }))
      assert.isBelow(shallow.length, 5)
    }))

  it.effect("a walk tells of extended attributes if it is asked", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const root = `${(yield* Agent).folder}/attributes`
      mkdirSync(`${root}/d`, { recursive: true })
      for (const name of ["d/file", "plain"]) writeFileSync(`${root}/${name}`, "")
      execFileSync("mkfifo", [`${root}/fifo`])
      symlinkSync("d/file", `${root}/link`)
      setAttribute(`${root}/d`)
      setAttribute(`${root}/d/file`)
      const walked = (attributes: boolean) =>
        Effect.map(Stream.runCollect(channel.walk({ root, path: "", attributes })), (entries) =>
          entries
            .map((
              { hasAttributes = false, mode, path }
            ) => [Buffer.from(path).toString(), hasAttributes, mode & ~0o777])
            .sort())
      assert.deepStrictEqual(yield* walked(true), [
        ["d", true, 0],
        ["d/file", true, 0],
        ["fifo", false, 0],
        ["link", false, 0],
        ["plain", false, 0]
      ])
      assert.isTrue((yield* walked(false)).every(([, has, rest]) => has === false && rest === 0))
    }))

  it.effect("the agent connects to ports of the guest's loopback, with half close", () =>
    Effect.gen(function*() {
      const channel = yield* Agent.connect()
      const server = yield* Effect.acquireRelease(
        Effect.callback<ReturnType<typeof createServer>>((resume) => {
          // Answers only once it has all of the question.
          const server = createServer({ allowHalfOpen: true }, (socket) => {
            const chunks: Array<Buffer> = []
            socket.on("data", (chunk) => chunks.push(chunk)).on("end", () =>
              socket.end(`${sha(Buffer.concat(chunks))}\n`))
          })
          server.listen(0, "127.0.0.1", () =>
            resume(Effect.succeed(server)))
        }),
        (server) => Effect.sync(() => server.close())
      )
      const address = server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      const question = randomBytes(1_000_000)
      const socket = yield* channel.connectPort({ port })
      const answer = yield* Effect.forkChild(whole(socket.received))
      yield* socket.write(question)
      yield* socket.end
      assert.strictEqual((yield* Fiber.join(answer)).toString(), `${sha(question)}\n`)
      server.close()
      const refused = yield* Effect.flip(channel.connectPort({ port: 1 }))
      assert.include(refused.message, "ECONNREFUSED")
    }))
})
