/** Prints what a server says, or why there is no connection. */
export const FETCH = `import socket, sys
def fetch(host, port=80, sent=None):
  try:
    one = socket.create_connection((host, port), 20)
    one.sendall((sent or "GET / HTTP/1.1\\r\\nHost: %s\\r\\nConnection: close\\r\\n\\r\\n" % host).encode())
    text = b""
    while True:
      data = one.recv(4096)
      if not data: break
      text += data
    return text.decode().strip().split("\\n")[-1]
  except OSError as error: return error.strerror`

/** Makes connections, writes `made` to a file, and then how the first of them ended. */
export const hold = (file: string, count: number, host: string) =>
  `import socket
said = open("${file}", "w")
all = [socket.create_connection(("${host}", 7)) for _ in range(${count})]
for one in all: one.sendall(b"GET\\n\\n")
print("made", file=said, flush=True)
try:
  while all[0].recv(9): pass
  print("end", file=said, flush=True)
except OSError as error: print(error.strerror, file=said, flush=True)`

/** Serves each connection on the loopback of the host, and prints its port. */
export const LOCAL_SERVICE = `import socket
server = socket.create_server(("127.0.0.1", 0))
print(server.getsockname()[1])
while True:
  one, _ = server.accept()
  one.recv(4096)
  one.sendall(b"HTTP/1.0 200 OK\\r\\n\\r\\na local service\\n")
  one.close()`
