import * as fs from "node:fs"
import * as net from "node:net"
import * as path from "node:path"
import { afterAll, assert, beforeAll, describe, it } from "vitest"
import { until } from "../pyro-cli.ts"
import type { LifecycleDriver } from "./lifecycle-suite.ts"
import { operations } from "./operations.ts"
import { freePort, helloServer, httpServer, oddServer, said } from "./service-programs.ts"
import type { WorkspacesClient } from "./workspaces-client.ts"

interface Service {
  readonly name: string
  readonly state: string
  readonly detail?: string
  readonly restarts: number
  readonly restartInMs?: number
  readonly status?: number
  readonly outputBytes: number
  readonly ports?: ReadonlyArray<{ readonly guestPort: number; readonly hostPort: number }>
}

interface Page extends Pick<Service, "state" | "detail" | "status"> {
  readonly output: string
  readonly nextCursor: number
  readonly skippedBytes?: number
}

/** Services of workspaces, whatever the VMM. */
export const servicesSuite = (name: string, driver: LifecycleDriver) => {
  let client: WorkspacesClient
  beforeAll(async () => {
    client = await driver.open()
    await operations(() => client).create("a")
  })
  afterAll(() => driver.close(client))

  const { call, remove, sh, status, vmProcess } = operations(() => client)
  const start = (service: string, script: string, options: object = {}, workspace = "a") =>
    call<Service>("service-start", { workspace, name: service, command: ["sh", "-c", script], ...options })
  const stop = (service: string, options: object = {}) =>
    call<Service>("service-stop", { workspace: "a", name: service, ...options })
  const of = (service: string, workspace = "a") => call<Service>("service-status", { workspace, name: service })
  const logs = (service: string, options: object = {}) =>
    call<Page>("service-logs", { workspace: "a", name: service, ...options })
  /** A secret of the workspace that a service has got before as plain text. */
  const lateSecret = async (value = "staple battery horse") => {
    const file = path.join(client.state, "workspaces", (await status("a")).id, "services.json")
    const addSecret = () => call("update", { workspace: "a", secrets: { LATE: value } })
    return { value, addSecret, records: () => fs.readFileSync(file, "utf8") }
  }
  const failure = (work: Promise<unknown>) => work.then(() => "it succeeded", String)
  const becomes = (service: string, state: string) =>
    until(`${service} to be ${state}`, async () => (await of(service)).state === state)
  /** Number of processes that sleep for so long. */
  const sleeping = async (seconds: number) =>
    Number(await sh("a", `cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -o 'slee[p] ${seconds}' | wc -l`))

  describe(`services over ${name}`, { concurrent: false }, () => {
    it("a service is ready when its file exists, and stop ends it", async () => {
      const { readyMs, state } = await start("file", "rm -f /run/up; echo one; touch /run/up; exec sleep 1001", {
        ready_file: "/run/up"
      }) as Service & { readonly readyMs: number }
      assert.strictEqual(state, "ready")
      assert.isAtLeast(readyMs, 0)
      assert.strictEqual(await sleeping(1001), 1)
      assert.match(
        await failure(start("file", "true")),
        /service "file" of workspace a runs already: its state is ready.*workspace\.service\.stop \{"workspace":"a","name":"file"\}/
      )
      assert.deepStrictEqual((await status("a") as { readonly services?: object }).services, { ready: 1 })
      const { state: stopped, status: code } = await stop("file")
      assert.deepStrictEqual([stopped, code], ["stopped", 143])
      assert.strictEqual(await sleeping(1001), 0)
      assert.strictEqual((await stop("file")).state, "stopped")
    })

    it("a service is ready when its URL answers with 200, and not with 503", async () => {
      const port = await freePort()
      const { state } = await start("web", httpServer(port), { ready_http: `http://localhost:${port}/health?x=1` })
      assert.strictEqual(state, "ready")
      const { output } = await logs("web")
      assert.match(output, /GET \/health\?x=1 HTTP\/1.1" 503/)
      assert.match(output, /GET \/health\?x=1 HTTP\/1.1" 200 -\n$/)
      assert.match(
        await failure(start("second", "sleep 1", { ready_tcp: port })),
        /ready_tcp: a program of the guest listens on port/
      )
      await stop("web")
    })

    it("a server that answers with silence, with garbage or with an error is not ready, and one that redirects is", async () => {
      const startWith = async (mode: string) => {
        const port = await freePort()
        return start(`odd-${mode}`, oddServer(port, mode), {
          ready_http: `http://127.0.0.1:${port}/`,
          ready_timeout_seconds: mode === "moved" ? 60 : 0.8
        })
      }
      for (const mode of ["silent", "garbage", "error"]) {
        assert.match(await failure(startWith(mode)), /it was not ready within 0.8 s[^]*ready_timeout_seconds/, mode)
      }
      assert.strictEqual((await startWith("moved")).state, "ready")
      await stop("odd-moved")
    })

    it("a service is ready when its command succeeds, with the service's variables", async () => {
      const { state } = await start("command", "sleep 0.2; mkdir /run/made; exec sleep 1002", {
        ready_command: "test -d $MADE",
        env: { MADE: "/run/made" }
      })
      assert.strictEqual(state, "ready")
      await stop("command")
    })

    it("a check's script may take as long as the service has, and a late service shows what the check printed", async () => {
      const message = await failure(
        start("late", "exec sleep 1011", {
          ready_command: "echo no database yet; exec sleep 1012",
          ready_timeout_seconds: 0.5
        })
      )
      assert.include(message, "The last try of its check had not ended and printed:\nno database yet")
      const again = await failure(
        start("late", "exec sleep 1011", {
          ready_command: "echo x >> /run/tries; wc -l < /run/tries; exit 7",
          ready_timeout_seconds: 1.5,
          ready_interval_ms: 60_000
        })
      )
      // The interval left time for one try.
      assert.match(again, /its check ended with status 7 and printed:\n1/)
    })

    it("a service without a check runs, and a program that does not exist leaves no service", async () => {
      assert.strictEqual((await start("plain", "exec sleep 1003")).state, "running")
      await stop("plain")
      const missing = call("service-start", { workspace: "a", name: "missing", command: ["no-such-program"] })
      assert.match(await failure(missing), /no command "no-such-program"/)
      assert.match(await failure(of("missing")), /has no service "missing"/)
      assert.match(
        await failure(start("both", "true", { ready_tcp: 1, ready_file: "x" })),
        /ready_file: cannot be combined with ready_tcp/
      )
      for (
        const url of ["http://localhost:65536/", "http://localhost:0/", "http://example.org/", "https://localhost/"]
      ) {
        assert.match(await failure(start("far", "true", { ready_http: url })), /must be http:\/\/localhost/, url)
      }
    })

    it("a service that dies at once fails its start with the end of its log", async () => {
      const script = "exec 2>&1; for n in $(seq 30); do echo line $n; done; echo broken >&2; exit 7"
      const message = await failure(start("dies", script, { ready_tcp: 1 }))
      assert.match(message, /it ended with status 7 before it was ready/)
      assert.match(message, /line 30\nbroken/)
      assert.notMatch(message, /line 11\n/)
      const { detail, state, status: code } = await of("dies")
      assert.deepStrictEqual([state, detail, code], ["failed", "it ended with status 7", 7])
      const page = await logs("dies", { follow: true })
      assert.deepStrictEqual([page.state, page.detail, page.status], [state, detail, code])
      assert.strictEqual((await start("dies", "exec sleep 1004")).state, "running")
      await stop("dies")
    })

    it("a service that never becomes ready is stopped with all its processes", async () => {
      const message = await failure(
        start("never", "echo waiting; sleep 1005 & sleep 1005", { ready_tcp: 1, ready_timeout_seconds: 0.5 })
      )
      assert.match(message, /it was not ready within 0.5 s, and was stopped. The end of its log:\nwaiting/)
      assert.strictEqual((await of("never")).state, "failed")
      assert.strictEqual(await sleeping(1005), 0)
    })

    // A local agent has no cgroup for what leaves the tree of processes; test/guest/workspace-service.test.ts looks for the child.
    it("a service that puts itself into the background has ended", async () => {
      const daemon = "setsid sh -c 'setsid sleep 3 &' > /dev/null 2>&1 < /dev/null; exit 0"
      await start("daemon", daemon)
      await becomes("daemon", "exited")
      const message = await failure(start("daemon", daemon, { ready_tcp: 1 }))
      assert.match(message, /it ended with status 0 before it was ready. A service must stay in the foreground/)
    })

    it("a service that floods its log goes on, and its newest lines are there", async () => {
      await start("flood", "echo first; exec yes flood")
      await until("some output", async () => (await of("flood")).outputBytes > 4_000_000)
      assert.strictEqual((await logs("flood", { max_bytes: 12 })).output, "first\nflood\n")
      assert.match((await logs("flood", { tail_lines: 2 })).output, /^flood\nf?l?o?o?d?\n?$/)
      assert.strictEqual((await stop("flood")).state, "stopped")
    })

    it("a service that ignores SIGTERM is killed after the grace", async () => {
      await start("stubborn", "trap '' TERM; touch /run/deaf; while true; do sleep 1007; done", {
        ready_file: "/run/deaf"
      })
      const { state, status: code } = await stop("stubborn", { grace_seconds: 0.2 })
      assert.deepStrictEqual([state, code], ["stopped", 137])
      assert.strictEqual(await sleeping(1007), 0)
    })

    it("a failed service starts again with --restart on-failure, and its log goes on", async () => {
      const script = "n=$(cat /run/runs 2>/dev/null || echo 0); echo $((n + 1)) > /run/runs; echo run $n; " +
        "case $n in 0 | 1) sleep 0.1; exit 3;; 2) exec sleep 1008;; esac"
      await start("again", script, { restart: "on-failure" })
      await until("two restarts", async () => {
        const { restarts, state } = await of("again")
        return restarts === 2 && state === "running"
      })
      await until("the third run's output", async () => (await logs("again")).output === "run 0\nrun 1\nrun 2\n")
      const { nextCursor } = await logs("again")
      assert.strictEqual((await logs("again", { cursor: 6, max_bytes: 6 })).output, "run 1\n")
      await stop("again")
      // The cursor is valid in the log of the next start.
      await start("again", "echo anew; exec sleep 1008")
      await until("the output", async () => (await logs("again", { cursor: nextCursor })).output === "anew\n")
      assert.strictEqual((await logs("again")).output, "anew\n")
      await stop("again")
    })

    it("a service that ends with status 0 does not start again, and stop ends a wait for a restart", async () => {
      await start("clean", "exit 0", { restart: "on-failure" })
      await becomes("clean", "exited")
      assert.strictEqual((await of("clean")).restarts, 0)
      await start("waits", "exit 1", { restart: "on-failure" })
      let waits: Service | undefined
      await until("the wait", async () => (waits = await of("waits")).restartInMs !== undefined)
      assert.strictEqual(waits?.state, "starting")
      assert.match(waits?.detail ?? "", /^restarting in \d+ s, because it ended with status 1$/)
      // Only restarts that have happened count.
      const { events } = await call<
        { readonly events: ReadonlyArray<{ readonly kind: string; readonly text: string }> }
      >(
        "events",
        { workspace: "a" }
      )
      const begun = events.filter(({ kind, text }) => kind === "service_started" && text.startsWith("service waits "))
      assert.isBelow(waits?.restarts ?? -1, begun.length)
      assert.strictEqual((await stop("waits")).state, "stopped")
    })

    it("a follower of a log gets output as it comes, and ends with the service", async () => {
      await start("talks", "echo one; sleep 0.3; echo two; sleep 0.3")
      let cursor = 0
      let text = ""
      await until("the end", async () => {
        const { nextCursor, output, state } = await logs("talks", { cursor, follow: true })
        text += output
        cursor = nextCursor
        return state === "exited" && output === ""
      })
      assert.strictEqual(text, "one\ntwo\n")
    })

    it("the log and the errors of a service have no secret", async () => {
      await call("update", { workspace: "a", secrets: { TOKEN: "correct horse battery" } })
      const message = await failure(
        start("secret", "echo token $TOKEN; exit 2", { secret_env: ["TOKEN"], ready_tcp: 1 })
      )
      assert.include(message, "token [secret:TOKEN]")
      assert.notInclude(message, "correct horse")
      assert.strictEqual((await logs("secret")).output, "token [secret:TOKEN]\n")
    })

    it("a record of a workspace keeps no value of a secret in plain text", async () => {
      const value = "correct horse battery"
      await call("update", { workspace: "a", secrets: { TOKEN: value } })
      for (
        const refused of [
          () => start("plain", `serve --token '${value}'`, {}),
          () => start("plain", "serve", { env: { API: value } }),
          () => start("plain", "serve", { ready_http: `http://127.0.0.1:1/?t=${encodeURIComponent(value)}` }),
          () => call("update", { workspace: "a", labels: { token: value } })
        ]
      ) {
        const message = await failure(refused())
        assert.include(message, "has the value of the secret TOKEN")
        assert.notInclude(message.split("InvalidRequest")[1], "correct")
      }
    })

    it("a secret is refused while a service runs with its value, and then leaves the service's record", async () => {
      const { addSecret, records, value } = await lateSecret()
      await start("holds", "exec sleep 1014", { env: { API: value } })
      const message = await failure(addSecret())
      assert.match(message, /the service holds has the value of LATE.*service\.stop .*"holds"/)
      assert.notInclude(message.split("InvalidRequest")[1], "staple")
      await stop("holds")
      assert.include(records(), value)
      await addSecret()
      assert.notInclude(records(), value)
      assert.include(records(), "[secret:LATE]")
      await start("holds", "exec sleep 1014", { secret_env: ["LATE=API"] })
      assert.notInclude(records(), value)
      await stop("holds")
      await call("update", { workspace: "a", clear_secrets: ["LATE"] })
    })

    it("a service goes on when the process that has the workspaces is killed", async () => {
      await start("kept", "echo up >> /run/ups; touch /run/kept; while true; do echo tick; sleep 0.05; done", {
        ready_file: "/run/kept",
        restart: "on-failure"
      })
      await client.kill()
      const { restarts, state } = await of("kept")
      assert.deepStrictEqual([state, restarts, await sh("a", "cat /run/ups")], ["ready", 0, "up"])
      const { nextCursor } = await logs("kept", { tail_lines: 1 })
      await until("more output", async () => (await logs("kept", { cursor: nextCursor })).output !== "")
      // Its supervision goes on too.
      await sh("a", "pkill -f '[k]ept; while' || true")
      await until("the restart", async () => (await of("kept")).restarts === 1)
      await becomes("kept", "ready")
      await stop("kept")
    })

    it("a published port lives and dies with its service", async () => {
      const port = await freePort()
      const { ports = [] } = await start("hello", helloServer(port), { ready_tcp: port, publish: [String(port)] })
      assert.lengthOf(ports, 1)
      const { hostPort } = ports[0]!
      assert.strictEqual(await said(hostPort), "hello")
      await client.kill()
      assert.deepStrictEqual((await of("hello")).ports, ports)
      assert.strictEqual(await said(hostPort), "hello")
      await stop("hello")
      assert.match(await said(hostPort), /ECONNREFUSED/)
    })

    it("a port of the host that is in use is refused before the service runs", async () => {
      const port = await freePort()
      const holder = net.createServer()
      await new Promise<void>((resolve) => holder.listen(0, "127.0.0.1", resolve))
      const taken = (holder.address() as net.AddressInfo).port
      const message = await failure(
        start("taken", "touch /run/taken; exec sleep 1009", { publish: [String(port), `${taken}:80`] })
      )
      holder.close()
      assert.include(message, String(taken))
      assert.strictEqual(await sh("a", "ls /run/taken 2>/dev/null || echo none"), "none")
      assert.match(await failure(of("taken")), /no service/)
      assert.deepStrictEqual((await status("a")).ports, [])
    })

    if (driver.triesNetwork) {
      it("a model's service loses its port with the policy, and goes on without it", async () => {
        const port = await freePort()
        const ceiling = "egress+published-ports"
        await call("network-set", { workspace: "a", network_policy: ceiling })
        const options = { ready_tcp: port, publish: [String(port)], restart: "on-failure" }
        const { ports = [] } = await start("models", helloServer(port), { ...options, ceiling })
        assert.strictEqual(await said(ports[0]!.hostPort), "hello")
        await call("network-set", { workspace: "a", network_policy: "egress" })
        assert.match(await said(ports[0]!.hostPort), /ECONNREFUSED/)
        assert.strictEqual((await of("models")).state, "ready")
        await sh("a", `pkill -f '[(]"127.0.0.1", ${port}[)]'`)
        await until("the restart", async () => (await of("models")).restarts === 1)
        await becomes("models", "ready")
        assert.deepStrictEqual((await of("models")).ports, [])
        await stop("models")
        await call("network-set", { workspace: "a", network_policy: "off" })
      })
    }

    it("the death of the VM fails its services", async () => {
      await start("lost", "exec sleep 1010")
      process.kill(vmProcess((await status("a")).id), "SIGKILL")
      await becomes("lost", "failed")
      assert.notMatch((await of("lost")).detail ?? "", /was stopped/)
      await call("start", { workspace: "a" })
    })

    it("a stop of the workspace stops its services, a start brings back those that always run, and a reset forgets them", async () => {
      await start("ends", "exec sleep 1010")
      await start("stays", "exec sleep 1013", { restart: "always" })
      await start("due", "exit 1", { restart: "on-failure" })
      await becomes("due", "starting")
      await call("stop", { workspace: "a" })
      for (const service of ["ends", "due", "stays"]) {
        const { detail, state } = await of(service)
        assert.deepStrictEqual([state, detail], ["stopped", "the workspace was stopped"], service)
      }
      assert.strictEqual((await of("lost")).state, "failed")
      await call("start", { workspace: "a" })
      assert.strictEqual((await of("ends")).state, "stopped")
      await becomes("stays", "running")
      await call("service-stop", { workspace: "a", name: "stays" })
      const { addSecret, records, value } = await lateSecret("another staple battery")
      await start("halts", "exec sleep 1015", { restart: "always", env: { API: value } })
      await call("stop", { workspace: "a" })
      assert.include(await failure(addSecret()), "the service halts has the value of LATE")
      await stop("halts")
      await addSecret()
      assert.notInclude(records(), value)
      await call("start", { workspace: "a" })
      for (const service of ["stays", "halts"]) assert.strictEqual((await of(service)).state, "stopped", service)
      assert.strictEqual((await start("ends", "exec sleep 1010")).state, "running")
      await call("reset", { workspace: "a" })
      assert.deepStrictEqual((await status("a")).services, {})
      await remove("a")
    })
  })
}
