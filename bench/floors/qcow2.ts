/** An empty qcow2 overlay without a backing name (docs/interop/qcow2.txt): header, refcount table, refcount block, L1 table. */
export const emptyQcow2 = (virtualBytes: number): Buffer => {
  const cluster = 65_536
  const l1Entries = Math.ceil(virtualBytes / (cluster * (cluster / 8)))
  const file = Buffer.alloc(4 * cluster)
  file.writeUInt32BE(0x514649fb, 0)
  file.writeUInt32BE(3, 4)
  file.writeUInt32BE(16, 20)
  file.writeBigUInt64BE(BigInt(virtualBytes), 24)
  file.writeUInt32BE(l1Entries, 36)
  file.writeBigUInt64BE(BigInt(3 * cluster), 40)
  file.writeBigUInt64BE(BigInt(cluster), 48)
  file.writeUInt32BE(1, 56)
  file.writeUInt32BE(4, 96)
  file.writeUInt32BE(104, 100)
  file.writeBigUInt64BE(BigInt(2 * cluster), cluster)
  for (let used = 0; used < 4; used++) file.writeUInt16BE(1, 2 * cluster + 2 * used)
  return file
}
