import * as net from "node:net"

/** A port that nothing uses. */
export const freePort = () =>
  new Promise<number>((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo
      server.close(() => resolve(port))
    })
  })

/** What a server says. */
export const said = (port: number) =>
  new Promise<string>((resolve) => {
    let text = ""
    net.connect(port, "127.0.0.1").on("data", (bytes) => text += String(bytes)).on("error", ({ message }) =>
      resolve(message)).on("close", () =>
        resolve(text))
  })

/** Answers the first request with 503, and the others with 200. */
export const httpServer = (port: number) =>
  `exec python3 -c '
import http.server
answers = iter([503])
class Handler(http.server.BaseHTTPRequestHandler):
  def do_GET(self):
    self.send_response(next(answers, 200))
    self.end_headers()
http.server.HTTPServer(("127.0.0.1", ${port}), Handler).serve_forever()'`

/** Accepts each client, and gives no proper answer, or a redirection. */
export const oddServer = (port: number, mode: string) =>
  `exec python3 -c '
import socket, threading
def serve(client):
  try:
    if "${mode}" == "error": client.sendall(b"HTTP/1.1 500 No\\r\\n\\r\\n")
    if "${mode}" == "moved": client.sendall(b"HTTP/1.1 302 Found\\r\\nLocation: /other\\r\\n\\r\\n")
    while "${mode}" == "garbage": client.sendall(b"HTTP" * 1000)
    if "${mode}" == "silent": client.recv(100000); threading.Event().wait()
  except OSError: pass
  client.close()
server = socket.create_server(("127.0.0.1", ${port}))
while True: threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()'`

/** Says hello to each client. */
export const helloServer = (port: number) =>
  `exec python3 -c '
import socket
server = socket.create_server(("127.0.0.1", ${port}))
while True:
  client, _ = server.accept()
  client.sendall(b"hello")
  client.close()'`
