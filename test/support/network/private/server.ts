import type * as http from "node:http"
import { temporaryFolder } from "../../pyro-cli.ts"
import { gitServer, makeRepository } from "./git.ts"
import { cargoPages, goPages, npmPages, type Pages, pypiPages } from "./packages.ts"

export const USER = "user"

/** What a client sends as `Authorization` with a value. */
export const basic = (value: string) => `Basic ${Buffer.from(`${USER}:${value}`).toString("base64")}`

export interface PrivateServer {
  readonly listener: http.RequestListener
  /** `PATH: Authorization` of each request. */
  readonly requests: ReadonlyArray<string>
  readonly close: () => void
}

/**
 * A host with private repositories of git, npm, PyPI, cargo and Go. Each demands the value in the form that its client sends: Basic credentials, a
 * Bearer token, or the token alone.
 */
export const privateServer = (host: string, value: string): PrivateServer => {
  const { folder, remove } = temporaryFolder("pyro-private-")
  makeRepository(folder)
  const git = gitServer(folder, "/git")
  const pages: Pages = { ...npmPages(host), ...pypiPages, ...cargoPages(host), ...goPages }
  const accepted: Readonly<Record<string, ReadonlyArray<string>>> = {
    git: [basic(value)],
    npm: [`Bearer ${value}`, basic(value)],
    pypi: [basic(value)],
    cargo: [value],
    go: [basic(value)]
  }
  const requests: Array<string> = []
  const listener: http.RequestListener = (request, response) => {
    const { headers: { authorization = "" }, url = "" } = request
    requests.push(`${url}: ${authorization}`)
    const place = url.split("/")[1] ?? ""
    if (accepted[place]?.includes(authorization) !== true) {
      request.resume()
      return response.writeHead(401, { "WWW-Authenticate": "Basic realm=\"private\"" }).end()
    }
    if (place === "git") return git(request, response)
    const page = pages[url.split("?")[0]!]
    request.resume()
    return page === undefined
      ? response.writeHead(404).end()
      : response.writeHead(200, { "Content-Type": page.type, "Content-Length": Buffer.byteLength(page.body) }).end(
        page.body
      )
  }
  return { listener, requests, close: remove }
}
