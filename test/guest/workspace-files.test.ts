import { assert, layer } from "@effect/vitest"
import { Effect, Result, Schema, Stream } from "effect"
import { createHash, randomBytes } from "node:crypto"
import type { PyroError } from "../../src/contract/errors/errors.ts"
import {
  FileEditPayload,
  FileListPayload,
  FileReadPayload,
  FileWritePayload
} from "../../src/contract/rows/workspace-file.ts"
import { guestFiles } from "../../src/lib/guest-channel/guest-path.ts"
import type { GuestChannel } from "../../src/lib/guest-channel/GuestChannel.ts"
import { editFile } from "../../src/workspace/content/files/edit.ts"
import { listFiles } from "../../src/workspace/content/files/list.ts"
import { readFile } from "../../src/workspace/content/files/read.ts"
import { readBytes, uploadFile } from "../../src/workspace/content/files/stream.ts"
import { watchFiles } from "../../src/workspace/content/files/watch.ts"
import { copyFile, removeFile, renameFile } from "../../src/workspace/content/files/work.ts"
import { writeFile, writeFileFrom } from "../../src/workspace/content/files/write.ts"
import { acquireTestWorkspace, finish, guestServices, script } from "../support/guest.ts"

const decoded = <A, I>(schema: Schema.Codec<A, I>, fields: object) =>
  Schema.decodeUnknownSync(schema)({ workspace: "test", ...fields })
const files = (channel: GuestChannel) => ({
  list: (path: string, fields: object = {}) =>
    listFiles(channel, decoded(FileListPayload(), { path, recursive: true, ...fields })),
  read: (path: string, fields: object = {}) => readFile(channel, decoded(FileReadPayload(), { path, ...fields })),
  write: (path: string, fields: object) => writeFile(channel, decoded(FileWritePayload(), { path, ...fields })),
  edit: (path: string, old_text: string, new_text: string) =>
    editFile(channel, decoded(FileEditPayload(), { path, old_text, new_text }))
})

/** A guest of its own, and what runs a script in it. */
const workspace = Effect.gen(function*() {
  const { claim, guest } = yield* acquireTestWorkspace()
  const first = yield* Effect.scoped(Effect.flatMap(claim(script("true")), finish))
  assert.strictEqual(first.exit.code, 0)
  const sh = (text: string) =>
    Effect.scoped(Effect.flatMap(guest.channel.spawn(script(text)), finish)).pipe(
      Effect.map(({ exit, stderr, stdout }) => {
        assert.strictEqual(exit.code, 0, stderr)
        return stdout
      })
    )
  return { ...files(guest.channel), channel: guest.channel, sh }
})

const reasonOf = <A>(effect: Effect.Effect<A, PyroError>) =>
  Effect.map(Effect.flip(effect), (failure) => failure._tag === "FileRefused" ? failure.reason : failure._tag)

layer(guestServices, { excludeTestServices: true, timeout: "10 minutes" })("files in a guest", (it) => {
  it.effect("files cross whole with their mode, and large files stream", () =>
    Effect.gen(function*() {
      const { channel, read, sh, write } = yield* workspace
      const content = randomBytes(20_000_000)
      yield* writeFileFrom(channel, { path: "bin/large", mode: "750" }, Stream.make(content))
      const hash = createHash("sha256").update(content).digest("hex")
      assert.strictEqual(yield* sh("sha256sum < bin/large; stat -c %a:%U bin/large"), `${hash}  -\n750:root\n`)
      yield* sh("chown agent:agent bin/large; truncate -s 4G sparse; printf 'one\\ntwo' > text")
      yield* write("bin/large", { text: "small" })
      assert.strictEqual(yield* sh("stat -c %a:%U:%s bin/large"), "750:agent:5\n")
      const sparse = yield* read("sparse")
      assert.deepStrictEqual([sparse.binary, sparse.sizeBytes], [true, 4_294_967_296])
      const text = yield* read("/workspace/text")
      assert.deepStrictEqual([text.text, text.totalLines], ["one\ntwo", 2])
    }))

  it.effect("bytes of any size stream in and out, and files of the kernel end or fail", () =>
    Effect.gen(function*() {
      const { channel, sh } = yield* workspace
      const piece = randomBytes(1_000_000)
      const pieces = Stream.take(Stream.forever(Stream.make(piece)), 70)
      const upload = (path: string, append: boolean) =>
        uploadFile(channel, { workspace: "test", path, append }, { stdin: pieces })
      assert.deepInclude(yield* upload("/opt/sub/large", false), { created: true, sizeBytes: 70_000_000 })
      assert.deepInclude(yield* upload("/opt/sub/large", true), { created: false, sizeBytes: 140_000_000 })
      const download = (path: string, range: { readonly length?: number; readonly offset?: number } = {}) =>
        Effect.gen(function*() {
          const hash = createHash("sha256")
          let text = ""
          yield* readBytes(
            channel,
            { path, offset: 0, ...range },
            { tree: guestFiles() },
            (event) =>
              Effect.sync(() => {
                if (event._tag !== "Output") return
                hash.update(event.bytes)
                if (text.length < 100) text += Buffer.from(event.bytes).toString("latin1", 0, 100)
              })
          )
          return { sha256: hash.digest("hex"), text }
        })
      const { sha256 } = yield* download("/opt/sub/large")
      assert.strictEqual(yield* sh("sha256sum < /opt/sub/large"), `${sha256}  -\n`)
      assert.strictEqual((yield* download("/proc/version", { offset: 6, length: 7 })).text, "version")
      assert.match((yield* download("/sys/kernel/mm/transparent_hugepage/enabled")).text, /never/)
      // It would wait for the next message of the kernel.
      assert.strictEqual(yield* reasonOf(download("/proc/kmsg")), "failed")
      for (const path of ["/dev/zero", "/dev/vdb"]) assert.strictEqual(yield* reasonOf(download(path)), "not_a_file")
    }))

  it.effect("a watch tells what a command of the guest changes", () =>
    Effect.gen(function*() {
      const { channel, sh } = yield* workspace
      const changes: Array<string> = []
      yield* Stream.runForEachWhile(watchFiles(channel, { path: "." }), (event) =>
        Effect.gen(function*() {
          if (event._tag === "Watching") {
            yield* sh("mkdir src; echo 1 > src/draft; mv src/draft src/file")
          }
          if (event._tag === "Changed") {
            changes.push(...event.changes.map(({ change, path }) => `${change} ${path}`))
          }
          // In one moment or in two.
          return !changes.includes("created src/file") && !changes.includes("renamed src/file")
        }))
      assert.include(changes, "created src")
    }))

  it.effect("every change of a file changes its version, also within a clock tick", () =>
    Effect.gen(function*() {
      const { read, sh, write } = yield* workspace
      const seen = new Set<string>()
      for (let round = 0; round < 20; round++) {
        seen.add((yield* write("file", { text: "aaa" })).version)
        // In place, and of the same size: only the times can tell.
        yield* sh("printf bbb 1<> file")
        seen.add((yield* read("file")).version)
      }
      assert.strictEqual(seen.size, 40)
      const { version } = yield* read("file")
      const writers = Array.from({ length: 6 }, (_, i) =>
        Effect.result(write("file", { text: `writer ${i}`, expected_version: version })))
      const results = yield* Effect.all(writers, { concurrency: "unbounded" })
      assert.strictEqual(results.filter(Result.isSuccess).length, 1)
      for (const result of results) {
        if (Result.isFailure(result)) {
          assert.strictEqual(result.failure._tag, "FileChanged")
        }
      }
    }))

  it.effect("a file that changes while it is written is not reported as written", () =>
    Effect.gen(function*() {
      const { channel, read, sh, write } = yield* workspace
      yield* write("file", { text: "aaa" })
      // In the same tick of the clock where it can, in place, and of the same size.
      const meddler = yield* channel.spawn({
        ...script(""),
        argv: [
          "python3",
          "-c",
          `import os
seen = os.stat("file").st_ino
os.write(1, b"ready")
while True:
    if os.stat("file").st_ino != seen:
        fd = os.open("file", os.O_WRONLY)
        os.write(fd, b"bbb")
        seen = os.fstat(fd).st_ino
        os.close(fd)`
        ]
      })
      yield* Stream.runHead(meddler.output)
      for (let round = 0; round < 30; round++) {
        const { version } = yield* write("file", { text: "aaa" })
        yield* Effect.repeat(read("file"), { until: ({ text }) => text === "bbb" })
        const late = write("file", { text: "lost", expected_version: version })
        assert.strictEqual(yield* reasonOf(late), "FileChanged")
      }
      yield* meddler.kill
      assert.strictEqual(yield* sh("cat file"), "bbb")
    }))

  it.effect("a full disk keeps a file's old content and leaves no partial file", () =>
    Effect.gen(function*() {
      const { edit, read, sh, write } = yield* workspace
      yield* write("kept", { text: "old" })
      yield* sh(
        "mkdir fill; n=0; for s in 4G 256M 16M 1M 64K 4K; do while fallocate -l $s fill/$n 2>/dev/null; do n=$((n+1)); done; done; rm fill/$n"
      )
      const content = "x".repeat(1_000_000)
      assert.strictEqual(yield* reasonOf(write("kept", { text: content })), "no_space")
      assert.strictEqual(yield* reasonOf(write("made", { text: content })), "no_space")
      assert.strictEqual(yield* reasonOf(edit("kept", "old", content)), "no_space")
      assert.strictEqual((yield* read("kept")).text, "old")
      assert.strictEqual(yield* sh("ls -A | grep -v fill | tr '\\n' ' '"), "kept ")
      yield* sh("rm -r fill")
      assert.strictEqual((yield* write("kept", { text: content })).sizeBytes, 1_000_000)
    }))

  it.effect("file operations reach every file of the guest, through links as its programs do", () =>
    Effect.gen(function*() {
      const { edit, list, read, sh, write } = yield* workspace
      yield* sh(
        "ln -s /etc etc; ln -s ../etc/passwd passwd; ln -s .. up; mkdir real; cd real; ln -s ../up/etc/os-release deep; " +
          "ln -s /proc/1/root magic; ln -s /proc/self/fd/0 fd; mkfifo ../fifo; mknod ../disk b 254 0"
      )
      const passwd = yield* sh("cat /etc/passwd")
      for (const path of ["/etc/passwd", "etc/passwd", "passwd", "up/etc/passwd", "../etc/passwd"]) {
        assert.strictEqual((yield* read(path)).text, passwd, path)
      }
      assert.strictEqual((yield* read("real/deep")).text, yield* sh("cat /etc/os-release"))
      // Links of /proc lead out of what a path says.
      for (const path of ["real/magic/etc/passwd", "real/fd"]) {
        assert.strictEqual(yield* reasonOf(read(path)), "failed", path)
        assert.include(["failed", "not_found"], yield* reasonOf(write(path, { text: "x" })), path)
      }
      for (const path of ["fifo", "disk", "/dev/null", "/dev/vdb"]) {
        assert.strictEqual(yield* reasonOf(read(path)), "not_a_file", path)
        assert.strictEqual(yield* reasonOf(write(path, { text: "x" })), "not_a_file", path)
      }
      assert.include((yield* read("/proc/meminfo")).text!, "MemTotal")
      yield* write("/opt/tool/run", { text: "#!/bin/sh\necho ran\n", mode: "755" })
      yield* edit("/opt/tool/run", "ran", "well")
      assert.strictEqual(yield* sh("/opt/tool/run"), "well\n")
      assert.deepStrictEqual((yield* list("/opt")).entries.map(({ path }) => path), ["/opt/tool", "/opt/tool/run"])
      // pyro mounts a file of its own there.
      assert.strictEqual(yield* reasonOf(write("/etc/hostname", { text: "x" })), "failed")
    }))

  it.effect("file operations as a user reach what the user may reach", () =>
    Effect.gen(function*() {
      const { list, read, sh, write } = yield* workspace
      const agent = { user: "agent" }
      yield* sh("mkdir -m 700 /root/own; echo secret > /root/own/file; chmod 600 /root/own/file; mkdir -m 777 open")
      assert.strictEqual(yield* reasonOf(read("/root/own/file", agent)), "permission")
      assert.strictEqual(yield* reasonOf(list("/root/own", agent)), "permission")
      assert.strictEqual(yield* reasonOf(write("/root/own/file", { text: "x", ...agent })), "permission")
      assert.strictEqual(yield* reasonOf(write("/etc/made", { text: "x", ...agent })), "permission")
      yield* write("/tmp/mine", { text: "x", ...agent })
      yield* write("open/sub/mine", { text: "x", ...agent })
      assert.strictEqual(
        yield* sh("stat -c %U:%G /tmp/mine open/sub open/sub/mine"),
        "agent:agent\nagent:agent\nagent:agent\n"
      )
      assert.strictEqual((yield* read("/root/own/file")).text, "secret\n")
      assert.strictEqual(yield* reasonOf(read("open/sub/mine", { user: "nobody-here" })), "permission")
    }))

  it.effect("files of the guest are made, copied, moved and removed, and mounts stay", () =>
    Effect.gen(function*() {
      const { channel, sh } = yield* workspace
      const request = { replace: false }
      yield* sh(
        "mkdir -p tree/sub; echo one > tree/sub/file; mkdir tree/mount; mount -t tmpfs none tree/mount; touch tree/mount/kept"
      )
      const copied = yield* copyFile(channel, { workspace: "test", ...request, path: "tree", target: "/opt/copy" })
      assert.deepStrictEqual([copied.entries, copied.skipped], [3, 1])
      assert.strictEqual(yield* sh("cat /opt/copy/sub/file; ls /opt/copy"), "one\nsub\n")
      const remove = (path: string) =>
        removeFile(channel, { workspace: "test", path, recursive: true, ifExists: false })
      assert.strictEqual(yield* reasonOf(remove("tree")), "failed")
      assert.strictEqual(yield* sh("ls tree/mount"), "kept\n")
      yield* sh("umount tree/mount")
      yield* remove("tree")
      // /workspace is another file system than /opt.
      const across = { workspace: "test", ...request, path: "/opt/copy", target: "copy" }
      assert.strictEqual(yield* reasonOf(renameFile(channel, across)), "failed")
      yield* copyFile(channel, across)
      assert.strictEqual(yield* sh("ls"), "copy\n")
      const asAgent = { workspace: "test", user: "agent", recursive: true, ifExists: false }
      assert.strictEqual(yield* reasonOf(removeFile(channel, { ...asAgent, path: "/opt/copy" })), "permission")
      assert.strictEqual(yield* reasonOf(removeFile(channel, { ...asAgent, path: "/workspace" })), "not_a_file")
      assert.strictEqual(yield* sh("cat /opt/copy/sub/file"), "one\n")
    }))
})
