import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { createServer as createSecureServer } from "node:https"

// The server outside the lab's machine, in a network namespace: outside.mjs CERTIFICATE KEY. A line on stdout says that the server listens.

const [, , cert, key] = process.argv

/** Sends the headers back. `REAL` stands for the value of a secret, so that pyro's redaction does not hide the value. */
const answer = (request, response) =>
  response.end(`${JSON.stringify({ host: request.headers.host, key: request.headers["x-key"] })}\n`
    .replace("lab-secret-value", "REAL"))

createServer(answer).listen(
  80,
  () =>
    createSecureServer({ cert: readFileSync(cert), key: readFileSync(key) }, answer).listen(
      443,
      () => process.stdout.write("listening\n")
    )
)
