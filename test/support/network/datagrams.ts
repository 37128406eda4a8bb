import * as dgram from "node:dgram"

/** Sends datagrams back, at port 7 of the address: a socket of all addresses would answer from another one. */
export const serveDatagrams = (type: dgram.SocketType, address: string) => {
  const socket = dgram.createSocket(type)
  socket.on("message", (bytes, from) => socket.send(bytes, from.port, from.address))
  socket.bind(7, address)
}
