import * as path from "node:path"
import { fileBytes } from "../../system/processes/host.ts"
import { qcow2Header } from "./qcow2.ts"

/**
 * How a driver keeps what a guest writes, and the suffix of its files. `qcow2`: a layer has what was written since the layer below it.
 * `store`: a layer has all that was written over the seed, in the form of the guest's own device mapper (guest-agent/src/layer.c), so the
 * newest layer that is not empty counts alone. pyro never parses a store.
 */
export const layerFormats = ["qcow2", "store"] as const
export type LayerFormat = (typeof layerFormats)[number]

/** Format of a layer's file, by its name. */
export const formatOf = (file: string): LayerFormat => path.extname(file) === ".store" ? "store" : "qcow2"

/** Whether a file is a layer of a disk, by its name. */
export const isLayer = (file: string): boolean => layerFormats.some((format) => file.endsWith(`.${format}`))

/** Changes of a layer that a copy of a disk has beside it, if it has any: the file's data replaces that of the layer. */
export const changesOf = (layer: string): string => `${layer}.changes`

/** Content of a layer to which nothing was written yet. */
export const emptyLayer = (format: LayerFormat, virtualBytes: number): Uint8Array =>
  format === "store" ? new Uint8Array(0) : qcow2Header({ virtualBytes })

/** Whether nothing was ever written to a layer: a qcow2 file that was written is longer than its header, and a VM makes a store longer. */
export const isEmptyLayer = (file: string, virtualBytes: number): boolean =>
  fileBytes(file) === emptyLayer(formatOf(file), virtualBytes).length

const chunkBytes = 8192
/** Exceptions in one chunk of a store's metadata, of 16 bytes each (drivers/md/dm-snap-persistent.c). */
const exceptionsPerChunk = chunkBytes / 16

/** Size of a store that never becomes full: each chunk of the disk, their exceptions, and the header. The file is sparse. */
export const storeBytes = (virtualBytes: number): number => {
  const chunks = Math.ceil(virtualBytes / chunkBytes)
  return (2 + chunks + Math.ceil(chunks / exceptionsPerChunk)) * chunkBytes
}
