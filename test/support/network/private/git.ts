import { execFileSync, spawn } from "node:child_process"
import type * as http from "node:http"
import * as path from "node:path"

const HEADER_END = "\r\n\r\n"

/** Makes a bare repository `repo.git` with one commit. */
export const makeRepository = (folder: string) => {
  const git = (...args: ReadonlyArray<string>) =>
    execFileSync("git", args, {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" }
    })
  git("init", "--quiet", "--bare", "--initial-branch=main", "repo.git")
  const tree = git("-C", "repo.git", "hash-object", "-t", "tree", "-w", "/dev/null").trim()
  const as = ["-c", "user.name=Test", "-c", "user.email=test@example.test"]
  const commit = git("-C", "repo.git", ...as, "commit-tree", "-m", "git demo", tree).trim()
  git("-C", "repo.git", "update-ref", "refs/heads/main", commit)
  git("-C", "repo.git", "config", "http.receivepack", "true")
}

/** Serves the repositories of a folder by git's own program (git-http-backend), which speaks CGI (RFC 3875). */
export const gitServer =
  (folder: string, prefix: string) => (request: http.IncomingMessage, response: http.ServerResponse): void => {
    const url = new URL(request.url ?? "/", "http://localhost")
    const { headers, method } = request
    const child = spawn("git", ["http-backend"], {
      stdio: ["pipe", "pipe", "ignore"],
      env: {
        ...process.env,
        GIT_PROJECT_ROOT: path.resolve(folder),
        GIT_HTTP_EXPORT_ALL: "1",
        PATH_INFO: url.pathname.slice(prefix.length),
        QUERY_STRING: url.search.slice(1),
        REQUEST_METHOD: method,
        CONTENT_TYPE: headers["content-type"] ?? "",
        ...(headers["content-length"] === undefined ? {} : { CONTENT_LENGTH: headers["content-length"] }),
        HTTP_CONTENT_ENCODING: headers["content-encoding"] ?? "",
        GIT_PROTOCOL: String(headers["git-protocol"] ?? "")
      }
    })
    child.stdin.on("error", () => {})
    request.pipe(child.stdin)
    const pieces: Array<Buffer> = []
    child.stdout.on("data", (piece: Buffer) => pieces.push(piece))
    child.once("close", () => {
      const answer = Buffer.concat(pieces)
      const end = answer.indexOf(HEADER_END)
      const lines = answer.subarray(0, end).toString("latin1").split("\r\n").map((line) => line.split(": ", 2))
      const fields = Object.fromEntries(lines) as Record<string, string>
      const { Status = "200 OK", ...rest } = fields
      response.writeHead(Number.parseInt(Status, 10), rest).end(answer.subarray(end + HEADER_END.length))
    })
  }
