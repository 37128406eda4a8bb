import * as fs from "node:fs"
import { qcow2Header } from "../../../src/lib/disk/qcow2.ts"

/**
 * A layer of a workspace disk is a file, for whoever links, shares and removes layers. A layer that a local agent has written names,
 * behind the header of an empty overlay, the directory with the content.
 */
const noteLength = 16

/** Name of the directory that a layer's content is in; undefined for a layer that was never written. */
export const directoryOf = (layer: string, virtualBytes: number): string | undefined => {
  const at = qcow2Header({ virtualBytes }).length
  const fd = fs.openSync(layer, "r")
  try {
    const note = Buffer.alloc(noteLength)
    const name = note.subarray(0, fs.readSync(fd, note, 0, noteLength, at)).toString("latin1")
    return /^[0-9a-f]{16}$/.test(name) ? name : undefined
  } finally {
    fs.closeSync(fd)
  }
}

/** Changes the name of that directory, in one write. */
export const noteDirectory = (layer: string, virtualBytes: number, name: string): void => {
  const { mode } = fs.statSync(layer)
  // Frozen layers are closed to writers.
  fs.chmodSync(layer, 0o600)
  const fd = fs.openSync(layer, "r+")
  try {
    fs.writeSync(fd, name, qcow2Header({ virtualBytes }).length, "latin1")
  } finally {
    fs.closeSync(fd)
    fs.chmodSync(layer, mode)
  }
}
