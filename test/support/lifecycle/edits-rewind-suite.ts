import { assert, describe, it } from "vitest"
import { rewindingWorkspaces } from "./rewind-steps.ts"

/** Operations that change files, and commands that change nothing, in the history of a workspace, over a local agent. */
export const testEditsRewind = (title: string, program: string, options: { readonly hasMemoryPoints: boolean }) => {
  describe(title, { concurrent: false }, () => {
    const { call, create, exec, history, remove, rewind, settled, sh, status, step } = rewindingWorkspaces(
      program,
      options
    )
    const failure = (work: Promise<unknown>) => work.then(() => "it succeeded", String)
    const commands = async (workspace: string) => (await history(workspace)).commands.map(({ command }) => command)
    const write = (workspace: string, path: string, text: string) => call("file-write", { workspace, path, text })

    it("a write, an edit and a patch are steps of the history, and a rewind names and undoes each", async () => {
      await create("w")
      await step("w", "echo base > base")
      await write("w", "notes", "one\n")
      await settled("w")
      await call("file-edit", { workspace: "w", path: "notes", old_text: "one", new_text: "two" })
      await settled("w")
      const patch = "--- a/notes\n+++ b/notes\n@@ -1 +1 @@\n-two\n+three\n"
      await call("patch-apply", { workspace: "w", patch })
      assert.deepStrictEqual((await commands("w")).slice(-3), [
        "pyro file write notes",
        "pyro file edit notes",
        "pyro patch apply"
      ])
      const undo = async () => (await rewind("w")).undone.map(({ command }) => command)
      assert.deepStrictEqual(await undo(), ["pyro patch apply"])
      assert.deepStrictEqual(await undo(), ["pyro file edit notes"])
      assert.deepStrictEqual(await undo(), ["pyro file write notes"])
      assert.strictEqual(await sh("w", "ls"), "base")
      await remove("w")
    })

    it("a check of a patch and a failed edit are no steps back", async () => {
      await create("checked")
      await step("checked", "echo base > base")
      const last = await step("checked", "echo more > base")
      const edit = { workspace: "checked", path: "base", old_text: "absent", new_text: "x" }
      assert.include(await failure(call("file-edit", edit)), "absent")
      const patch = "--- a/base\n+++ b/base\n@@ -1 +1 @@\n-more\n+most\n"
      await call("patch-apply", { workspace: "checked", patch, check: true })
      assert.notInclude(await commands("checked"), "pyro patch apply")
      const { undone } = await rewind("checked")
      assert.deepStrictEqual(undone.map(({ changedNothing, execId }) => changedNothing === true ? "look" : execId), [
        last,
        "look"
      ])
      assert.strictEqual(await sh("checked", "cat base"), "base")
      await remove("checked")
    })

    it("the error of a command and of a shell names a rewind of the workspace by its name", async () => {
      await create("broken")
      const { id } = await status("broken")
      const command = ["/etc/hostname"]
      for (const workspace of [id, "broken"]) {
        assert.include(await failure(exec(workspace, "true", { command })), `workspace.rewind {"workspace":"broken"}`)
        assert.include(
          await failure(call("shell-open", { workspace, command })),
          `workspace.rewind {"workspace":"broken"}`
        )
      }
      await remove("broken")
    })

    it("a hint about the network names the workspace by its present name", async () => {
      await create("offline")
      const lookUp = "echo 'curl: (6) Could not resolve host: a.test' >&2; exit 6"
      const { notices } = await exec("offline", lookUp)
      assert.match(notices.join("\n"), /pyro network set offline --allow-host ALLOW_HOST/)
      await remove("offline")
    })

    it("operations on files are no commands: neither the logs nor the running commands have them", async () => {
      await create("listed")
      await write("listed", "notes", "one")
      await sh("listed", "echo ran")
      const { commands: logged } = await call<
        { readonly commands: ReadonlyArray<{ readonly command: ReadonlyArray<string> }> }
      >(
        "logs",
        { workspace: "listed" }
      )
      assert.lengthOf(logged, 1)
      await remove("listed")
    })

    // A layer of a local agent is never empty, so points of the disk alone always differ here: test/guest has that case.
    if (options.hasMemoryPoints) {
      it("a look is no step: a rewind goes to before the last command that changed something, and says so", async () => {
        await create("looked")
        await step("looked", "echo base > b")
        const { execId } = await exec("looked", "rm -f b")
        await settled("looked")
        // The disk shows that the second one is a look, and the words show it of the first one.
        for (const look of ["ls", "test -f /etc/hostname"]) await sh("looked", look)
        const { undone } = await rewind("looked")
        assert.deepStrictEqual(
          undone.map(({ changedNothing, execId }) => [execId, changedNothing]).at(0),
          [execId, undefined]
        )
        assert.deepStrictEqual(undone.slice(1).map(({ changedNothing }) => changedNothing), [true, true])
        assert.strictEqual(await sh("looked", "cat b"), "base")
        await remove("looked")
      })

      it("a command with variables is no look by its words: they may make it write", async () => {
        await create("traced")
        await step("traced", "echo 'echo ran > trace' > b")
        const command = ["bash", "-c", "ls"]
        const { execId } = await exec("traced", "", { command, env: { BASH_ENV: "/workspace/b" } })
        assert.strictEqual(await sh("traced", "ls"), "b\ntrace")
        const { undone } = await rewind("traced")
        assert.deepStrictEqual([undone[0]!.execId, undone[0]!.changedNothing], [execId, undefined])
        assert.strictEqual(await sh("traced", "ls"), "b")
        await remove("traced")
      })

      // Each begins in a repository with the file `b`, whose `ran` the program writes if it runs.
      const program = "echo ran >> /workspace/ran"
      const looks = [
        ["a textconv", `echo 'b diff=x' > .gitattributes; git config diff.x.textconv '${program}; cat'`, "git diff"],
        [
          "a filter",
          `echo 'b filter=x' > .gitattributes; git config filter.x.clean '${program}; cat'`,
          "git -C . diff"
        ],
        [
          "a hook",
          `mkdir -p .git/hooks; printf '#!/bin/sh\\n${program}' > .git/hooks/post-index-change; chmod +x .git/hooks/*; touch b`,
          "git status"
        ],
        ["a monitor of files", `git config core.fsmonitor '${program}; true'`, "cd . && git status | head -3"]
      ] as const
      for (const [what, setting, look] of looks) {
        it(`a look of git that runs ${what} of the repository is a step, and none in a repository without it`, async () => {
          await create("repository")
          for (const folder of ["plain", "steered"]) {
            await sh(
              "repository",
              `mkdir ${folder}; cd ${folder}; git init -q .; echo one > b; git add -A
              git -c user.name=a -c user.email=a@b commit -qm all; echo other > b`
            )
          }
          await step("repository", `cd steered; ${setting}`)
          const last = await step("repository", "touch plain/b")
          await exec("repository", look, { cwd: "plain" })
          assert.strictEqual((await rewind("repository")).undone[0]!.execId, last)
          await settled("repository")
          const { execId } = await exec("repository", look, { cwd: "steered" })
          assert.match(await sh("repository", "cat ran"), /^ran/)
          const { undone } = await rewind("repository")
          assert.deepStrictEqual([undone[0]!.execId, undone[0]!.changedNothing], [execId, undefined])
          assert.notInclude(await sh("repository", "ls"), "ran")
          await remove("repository")
        })
      }

      it("a workspace that no command has changed says so, and counts its commands in words", async () => {
        await create("same")
        await settled("same")
        await sh("same", "ls")
        assert.include(await failure(rewind("same")), "no command has changed it")
        await step("same", "echo one > one")
        assert.include(
          await failure(rewind("same", { steps: 10 })),
          "only 1 command that changed something led to its present state"
        )
        await remove("same")
      })
    }
  })
}
