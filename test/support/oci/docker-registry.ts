import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import * as http from "node:http"
import * as path from "node:path"
import { cached, downloadByApt } from "../network/mirrors/downloads.ts"
import { lapsed } from "../until.ts"
import { digestOf, type TestImage } from "./image.ts"

/** Debian's package of distribution's registry. Unpacked and not installed: an installed one would start as a service of the host. */
const PACKAGE = "http://deb.debian.org/debian/pool/main/d/docker-registry/docker-registry_2.8.2+ds1-1_amd64.deb"
const SHA256 = "a9bd06c0e006854608f8469b4371743f40604ad90975532bb3b7ceeb72fe2913"

const program = async () => {
  const tree = await cached(`programs/docker-registry-${SHA256.slice(0, 16)}`, async (made) => {
    const deb = await cached(`debs/${path.basename(PACKAGE)}`, (file) => downloadByApt(PACKAGE, file, SHA256))
    execFileSync("dpkg-deb", ["--extract", deb, made])
  })
  return path.join(tree, "usr/bin/docker-registry")
}

/** Who may use a registry, as its configuration has it (distribution's "Configuring a registry"). */
export type Authentication = Readonly<Record<string, Readonly<Record<string, string>>>>

const ask = (
  socketPath: string,
  options: { readonly method: string; readonly path: string; readonly headers?: http.OutgoingHttpHeaders },
  body?: Buffer
) =>
  new Promise<http.IncomingMessage>((resolve, reject) => {
    const request = http.request({ ...options, socketPath }, (answer) => {
      answer.resume().once("end", () => resolve(answer))
    })
    request.once("error", reject).end(body)
  })

const start = async (folder: string, name: string, auth?: Authentication) => {
  const socket = path.join(folder, `${name}.sock`)
  const file = path.join(folder, `${name}.yml`)
  // YAML has JSON.
  fs.writeFileSync(
    file,
    JSON.stringify({
      version: "0.1",
      storage: { filesystem: { rootdirectory: path.join(folder, "data") } },
      http: { net: "unix", addr: socket },
      ...(auth === undefined ? {} : { auth })
    })
  )
  const child = spawn(await program(), ["serve", file], { stdio: "ignore" })
  for (;;) {
    const answer = await ask(socket, { method: "GET", path: "/v2/" }).catch(() => undefined)
    if (answer !== undefined) return { child, socket }
    if (child.exitCode !== null) throw new Error(`docker-registry ended with ${child.exitCode}`)
    await lapsed(50)
  }
}

const ended = (child: ChildProcess) =>
  new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve()
    child.once("exit", () => resolve())
    child.kill("SIGKILL")
  })

const push = async (socket: string, repository: string, tag: string, { blobs, manifest, mediaType }: TestImage) => {
  for (const blob of blobs.values()) {
    const { headers: { location = "" } } = await ask(socket, {
      method: "POST",
      path: `/v2/${repository}/blobs/uploads/`
    })
    const to = new URL(location, "http://localhost")
    to.searchParams.set("digest", digestOf(blob))
    await ask(
      socket,
      { method: "PUT", path: `${to.pathname}${to.search}`, headers: { "content-length": blob.length } },
      blob
    )
  }
  const headers = { "content-type": mediaType, "content-length": manifest.length }
  const { statusCode } = await ask(
    socket,
    { method: "PUT", path: `/v2/${repository}/manifests/${tag}`, headers },
    manifest
  )
  if (statusCode !== 201) throw new Error(`docker-registry took no manifest: ${statusCode}`)
}

/** Distribution's registry with images under REPOSITORY:TAG, at a Unix socket. */
export const startDockerRegistry = async (
  folder: string,
  images: Readonly<Record<string, TestImage>>,
  auth?: Authentication
) => {
  const open = await start(folder, "open")
  for (const [name, image] of Object.entries(images)) {
    const [repository = "", tag = ""] = name.split(":")
    await push(open.socket, repository, tag, image)
  }
  await ended(open.child)
  let { child, socket } = await start(folder, "closed", auth)
  return {
    socket,
    close: () => ended(child),
    kill: () => child.kill("SIGKILL"),
    /** Starts a killed registry at the same socket. */
    startAgain: async () => {
      await ended(child)
      fs.rmSync(socket, { force: true })
      ;({ child, socket } = await start(folder, "closed", auth))
    }
  }
}

/** Passes requests on to a server at a Unix socket, as a proxy that ends TLS does. */
export const passingTo =
  (socketPath: string) => (request: http.IncomingMessage, response: http.ServerResponse): Promise<void> =>
    new Promise((resolve) => {
      const { headers, method, url } = request
      const outgoing = http.request({
        socketPath,
        method,
        path: url,
        headers: { ...headers, "x-forwarded-proto": "https" }
      }, (answer) => {
        response.writeHead(answer.statusCode!, answer.headers)
        answer.pipe(response).once("close", resolve)
      })
      outgoing.once("error", () => response.destroy())
      request.pipe(outgoing)
    })
