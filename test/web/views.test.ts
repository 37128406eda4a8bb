import { Effect } from "effect"
import * as fs from "node:fs"
import { assert, describe, it } from "vitest"
import { until } from "../support/pyro-cli.ts"
import { assertAccessible } from "../support/web/browser.ts"
import { pageOverLocalAgents } from "../support/web/harness.ts"

/** One red pixel. */
const PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC"

// Tests make no points by default.
process.env["PYRO_REWIND_MIB"] = "2048"
process.env["PYRO_REWIND_EVERY_MS"] = "0"

describe("the other views of a workspace on the page", { concurrent: false }, () => {
  const { assertNoFaults, create, page, pyro, sh, show } = pageOverLocalAgents("views")

  it("a service has its state and its log, and a button ends it", async () => {
    await create({ name: "fix" })
    await Effect.runPromise(
      pyro().workspace.service.start({
        workspace: "fix",
        name: "web",
        command: [],
        script: "echo listening; exec sleep 600",
        env: {},
        graceSeconds: 2,
        restart: "never",
        readyTimeoutSeconds: 30,
        maxBytes: 1_000
      } as never)
    )
    await show("/w/fix/services")
    await page().getByRole("listitem").getByText("running").waitFor()
    await page().getByRole("button", { name: "Log" }).click()
    await page().getByRole("region", { name: "Log of web" }).getByText("listening").waitFor()
    await assertAccessible(page(), "the services")
    await page().getByRole("button", { name: "Stop" }).click()
    await page().getByText("web is stopped.").waitFor()
    await page().getByRole("listitem").getByText("stopped").waitFor()
  })

  it("files are read and downloaded, and images are shown", async () => {
    await sh("fix", `mkdir -p src; echo hello > src/hello.txt; echo ${PNG} | base64 -d > red.png`)
    await show("/w/fix/files")
    await page().getByRole("button", { name: "red.png", exact: true }).click()
    await page().getByRole("img", { name: "Image red.png" }).waitFor()
    assert.strictEqual(
      await page().locator("img.preview").evaluate((image) =>
        (image as unknown as { naturalWidth: number }).naturalWidth
      ),
      1
    )
    await page().getByRole("button", { name: "src/", exact: true }).click()
    await page().getByRole("button", { name: "hello.txt", exact: true }).click()
    await page().getByRole("region", { name: "Text of src/hello.txt" }).getByText("hello").waitFor()
    await assertAccessible(page(), "the files")
    const [download] = await Promise.all([
      page().waitForEvent("download"),
      page().getByRole("button", { name: "Download" }).click()
    ])
    assert.strictEqual(fs.readFileSync((await download.path())!, "utf8"), "hello\n")
    // The address has the open file.
    await page().reload()
    await page().getByRole("region", { name: "Text of src/hello.txt" }).getByText("hello").waitFor()
    await page().getByRole("button", { name: "hello.txt", exact: true, pressed: true }).waitFor()
    await page().getByRole("button", { name: "Up" }).click()
    await page().getByRole("button", { name: "red.png", exact: true }).waitFor()
  })

  it("the network is shown and turned off", async () => {
    await Effect.runPromise(
      pyro().workspace.network.set({
        workspace: "fix",
        allowHosts: ["example.com"],
        noPackageCache: false,
        trustHostCertificates: false
      })
    )
    await show("/w/fix/network")
    await page().getByText("No connections yet.").waitFor()
    await assertAccessible(page(), "the network")
    await sh("fix", "getent hosts once.test.net || true")
    await page().getByRole("button", { name: "Allow once once.test.net" }).click()
    await page().getByText("once.test.net is allowed once, within ten minutes.").waitFor()
    await page().getByRole("region", { name: "Network" }).getByText("egress to example.com; once to once.test.net")
      .waitFor()
    await sh("fix", "getent ahostsv4 once.test.net")
    const once = await Effect.runPromise(pyro().workspace.status({ workspace: "fix" }))
    assert.deepStrictEqual([once.network?.allowHosts, once.network?.allowOnce], [["example.com"], ["once.test.net"]])
    await assertAccessible(page(), "a denial in the network's log")
    await page().getByRole("button", { name: "Turn off" }).click()
    await page().getByText("The network is off.").waitFor()
    const { network } = await Effect.runPromise(pyro().workspace.status({ workspace: "fix" }))
    assert.strictEqual(network?.networkPolicy, "off")
  })

  it("a snapshot is taken, started from, compared and deleted", async () => {
    await show("/w/fix/tree")
    await page().getByRole("button", { name: "Snapshot…" }).click()
    await page().getByLabel("Name of the snapshot").waitFor()
    // The proposed name is selected: typing replaces it.
    await page().keyboard.type("green")
    await page().getByRole("button", { name: "Take snapshot" }).click()
    await page().getByText("Snapshot green is taken.").waitFor()
    const snapshot = page().getByRole("listitem").filter({ hasText: "snapshot green" })
    await sh("fix", "echo later > later.txt")
    await snapshot.waitFor()
    await assertAccessible(page(), "the snapshots")
    await page().getByLabel("from").selectOption({ label: "snapshot green" })
    await page().getByRole("button", { name: "Compare" }).click()
    await page().getByRole("article", { name: "later.txt" }).locator("td.line.added, tr.added td.line", {
      hasText: "later"
    }).first().waitFor()
    await snapshot.getByRole("button", { name: "Delete" }).click()
    await page().getByText("Snapshot green is deleted.").waitFor()
    await snapshot.waitFor({ state: "detached" })
  })

  it("a point of rewind has the text of its command, and goes back to the moment before", async () => {
    await sh("fix", "echo stays > stays.txt")
    await sh("fix", "rm stays.txt")
    await until("a point before the last command", async () => {
      const { commands } = await Effect.runPromise(pyro().workspace.history({ workspace: "fix", limit: 100 }))
      return commands.at(-1)?.alsoUndone === 0
    })
    await show("/w/fix/tree")
    const rows = page().getByRole("region", { name: "Snapshots, points and forks" }).getByRole("listitem")
    const point = rows.filter({ hasText: /before .*rm stays\.txt/ }).last()
    await point.getByRole("button", { name: "Start from it" }).click()
    await page().getByText(/^Fork .* is ready\.$/).waitFor()
    await show("/w/fix/tree")
    await point.waitFor()
    const times = await rows.locator("time").evaluateAll((all) =>
      all.map((one) => (one as unknown as { readonly dateTime: string }).dateTime)
    )
    assert.isAbove(times.length, 3)
    assert.deepStrictEqual(times, [...times].sort())
    await point.getByRole("button", { name: "Go back" }).click()
    await page().getByText(/is back at the point of .*, before .*'rm stays\.txt'\. 1 command undone\./).waitFor()
  })

  it("a rewind names what ended with the old microVM, and the way to the first command is a reset", async () => {
    await create({ name: "past" })
    const service = { workspace: "past", name: "web", command: [], script: "exec sleep 600", env: {}, graceSeconds: 2 }
    process.env["PYRO_REWIND_MIB"] = "0"
    await sh("past", "echo one > n")
    process.env["PYRO_REWIND_MIB"] = "2048"
    await sh("past", "echo two > n")
    await until("a point", async () => {
      const { points } = await Effect.runPromise(pyro().workspace.history({ workspace: "past", limit: 100 }))
      return points.length > 0
    })
    await Effect.runPromise(
      pyro().workspace.service.start(
        { ...service, restart: "never", readyTimeoutSeconds: 30, maxBytes: 1_000 } as never
      )
    )
    const { commands } = await Effect.runPromise(pyro().workspace.history({ workspace: "past", limit: 100 }))
    assert.isTrue(commands[0]!.byReset)
    await show("/w/past/tree")
    const rows = page().getByRole("region", { name: "Snapshots, points and forks" }).getByRole("listitem")
    await rows.filter({ hasText: /^\S+created.*before .*echo one > n.*, by a reset/ }).waitFor()
    await assertAccessible(page(), "the way back by a reset")
    // The point after it may be made meanwhile.
    await rows.filter({ hasText: /before .*echo two > n/ }).getByRole("button", { name: "Go back" }).click()
    await page().getByText(/1 command undone\. (Also undone: .*)?Ended with the old microVM: service web\./).waitFor()
    await rows.first().getByRole("button", { name: "Go back…" }).click()
    await page().getByRole("dialog").getByText("No point is before the first command.").waitFor()
    await page().getByLabel(/Type past to go on/).fill("past")
    await page().getByRole("dialog").getByRole("button", { name: "Reset" }).click()
    await page().getByText("The workspace is as it was after its creation.").waitFor()
    await rows.filter({ hasText: "by a reset" }).waitFor({ state: "detached" })
  })

  it("a look does not resume a paused workspace", async () => {
    await show("/w/fix/tree")
    await page().getByRole("button", { name: "Pause" }).click()
    await page().getByRole("button", { name: "Resume" }).waitFor()
    for (const view of ["Review", "Files"]) {
      await page().getByRole("link", { name: view }).click()
      await page().getByText("The workspace is paused.").waitFor()
    }
    for (const view of ["Shells", "Services", "Network", "Snapshots", "Timeline"]) {
      await page().getByRole("link", { name: view }).click()
      await page().getByRole("heading", { level: 2 }).first().waitFor()
    }
    assert.strictEqual((await Effect.runPromise(pyro().workspace.status({ workspace: "fix" }))).state, "paused")
    await page().getByRole("button", { name: "Resume" }).click()
    await page().getByRole("button", { name: "Pause" }).waitFor()
  })

  it("the page made no error", () => assertNoFaults())
})
