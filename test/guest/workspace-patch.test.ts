import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { applyPatchIn } from "../../src/workspace/content/patch/apply.ts"
import { acquireTestWorkspace, finish, guestServices, script } from "../support/guest.ts"
import { wholePatch } from "../support/workspace/whole-patch.ts"

const path = (name: string) => Buffer.from(name, "latin1")
const plain = (content: string | Buffer) => ({ mode: 0o100644, content: Buffer.from(content) }) as const

layer(guestServices, { excludeTestServices: true, timeout: "10 minutes" })("a patch in a workspace", (it) => {
  it.effect("a patch is applied whole, and not at all on a full disk", () =>
    Effect.gen(function*() {
      const workspace = yield* acquireTestWorkspace()
      const begun = yield* workspace.claim(
        script("cd /workspace; printf 'one\\ntwo\\n' > f; ln -s f link; mkdir d; echo g > d/g")
      )
      assert.strictEqual((yield* finish(begun)).exit.code, 0)
      const { channel } = workspace.guest
      const run = (text: string) => Effect.scoped(Effect.flatMap(channel.spawn(script(text)), finish))
      const listing =
        "cd /workspace; find . ! -name fill -printf '%p %y %m %l\\n' | sort; cat f d/g 2>/dev/null | md5sum"

      const patchBytes = yield* wholePatch([
        { path: path("f"), before: plain("one\ntwo\n"), after: { mode: 0o100755, content: Buffer.from("one\n2\n") } },
        { path: path("moved \xff\n"), from: path("d/g"), before: plain("g\n"), after: plain("g\n") },
        { path: path("link"), before: { mode: 0o120000, content: path("f") }, after: undefined },
        { path: path("bin"), before: undefined, after: plain(Buffer.from([0, 1, 2])) }
      ])
      const applied = yield* applyPatchIn(channel, { patchBytes, check: false })
      assert.deepStrictEqual(applied.files, [
        { path: "\"moved \\377\\n\"", change: "renamed", from: "d/g" },
        { path: "f", change: "modified" },
        { path: "link", change: "deleted" },
        { path: "bin", change: "added" }
      ])
      const { stdout } = yield* run(
        "cd /workspace; cat f; stat -c %a f; ls -A | wc -l; od -An -tx1 bin; cat moved*; ls d link 2>&1 | wc -l"
      )
      assert.strictEqual(stdout, "one\n2\n755\n4\n 00 01 02\ng\n2\n")

      const filled = yield* run(
        "cd /workspace; fallocate -l $(($(stat -f -c '%a*%S' .) - 1048576)) fill; " +
          "dd if=/dev/zero of=fill2 bs=4k 2>/dev/null; rm fill2; dd if=/dev/zero of=rest bs=4k count=100 2>/dev/null; " +
          listing
      )
      const large = yield* wholePatch([
        { path: path("f"), before: { mode: 0o100755, content: path("one\n2\n") }, after: undefined },
        { path: path("large"), before: undefined, after: plain(`${"x".repeat(39)}\n`.repeat(100_000)) }
      ])
      const failure = yield* Effect.flip(applyPatchIn(channel, { patchBytes: large, check: false }))
      assert.strictEqual(failure._tag === "FileRefused" && failure.reason, "no_space", failure.message)
      assert.strictEqual((yield* run(listing)).stdout, filled.stdout)
      yield* run("rm /workspace/fill")
      const later = yield* applyPatchIn(channel, { patchBytes: large, check: false })
      assert.strictEqual(later.filesChanged, 2)
      assert.strictEqual(
        (yield* run("cd /workspace; ls -A; wc -l < large")).stdout,
        "bin\nlarge\nmoved \xff\n\nrest\n100000\n".replace("\xff", "\ufffd")
      )
    }))
})
